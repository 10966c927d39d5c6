import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Settings } from '#infra/config.ts';
import { functionNames } from '#infra/paths.ts';
import { synthesize } from '#infra/synth.ts';

const Template = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

/** A resource of a synthesized template; references in its properties stay as they are. */
export interface TemplateResource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Stage and profile of a deployment. */
export type Deployment = Pick<Settings, 'stage' | 'profile'>;

/**
 * Synthesizes a deployment offline, with every alarm told to somebody, and reads all resources of all its stacks.
 *
 * @throws {SynthesisError} when the templates break a rule
 */
export async function resourcesOf({ stage, profile }: Deployment): Promise<TemplateResource[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cost-'));
  try {
    // What is in a bundle has no price, and to make one takes longer than the rest.
    for (const name of functionNames) {
      await mkdir(path.join(folder, 'bundles', name), { recursive: true });
      await writeFile(
        path.join(folder, 'bundles', name, 'index.mjs'),
        'export const handler = async () => 0;\n',
      );
    }
    const outDir = path.join(folder, 'out');
    const context = { stage, profile, alarmEmail: 'owner@example.com' };
    await synthesize({ bundlesDir: path.join(folder, 'bundles'), outDir, context });
    const files = (await readdir(outDir)).filter((name) => name.endsWith('.template.json')).sort();
    const resources = await Promise.all(
      files.map(async (file) => {
        const { Resources } = Template.parse(JSON.parse(await readFile(path.join(outDir, file), 'utf8')));
        const stack = file.replace('.template.json', '');
        return Object.entries(Resources).map(([id, { Type, Properties }]) => ({
          stack,
          id,
          type: Type,
          properties: Properties,
        }));
      }),
    );
    return resources.flat();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
