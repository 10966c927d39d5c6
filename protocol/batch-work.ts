import { EmployeeError } from './errors.ts';

/** A piece of a batch; it has an outcome once nothing is left to do for it. */
export interface BatchWork {
  outcome?: { readonly status: string; readonly error?: unknown };
}

/** What is no single piece's fault: the ledger or the keys are not what they should be. */
const BATCH_WIDE: ReadonlySet<string> = new Set(['LEDGER_INTEGRITY', 'STALE_KEYS']);

/** The pieces that are still to be dealt with. */
export function open<Work extends BatchWork>(works: readonly Work[]): Work[] {
  return works.filter(({ outcome }) => outcome === undefined);
}

/**
 * Runs a step for each piece on its own: what goes wrong with one fails that one.
 *
 * @param atOnce how many run at the same time. @default all
 * @throws what concerns the whole batch.
 */
export async function alone<Work extends BatchWork>(
  works: readonly Work[],
  step: (work: Work) => Promise<void>,
  atOnce = works.length,
): Promise<void> {
  const waiting = [...works];
  const lane = async (): Promise<void> => {
    for (let work = waiting.shift(); work; work = waiting.shift()) {
      const current = work;
      await together([current], () => step(current));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, works.length) }, lane));
}

/**
 * Runs a step that pieces share: what goes wrong fails them all.
 *
 * @throws what concerns the whole batch.
 */
export async function together(works: readonly BatchWork[], step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (error instanceof EmployeeError && BATCH_WIDE.has(error.code)) throw error;
    for (const work of works) work.outcome = { status: 'failed', error };
  }
}
