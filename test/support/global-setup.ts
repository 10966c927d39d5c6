import { ensureAssembly } from '#infra/synth.ts';

/**
 * Makes bundles and cloud assembly once, before the tests that need them ask for them from several workers at once.
 * A function that does not build says so here and fails those tests, not the ones that need no function.
 */
export default async function setup(): Promise<void> {
  try {
    await ensureAssembly();
  } catch (error) {
    console.warn(error instanceof Error ? error.message : error);
  }
}
