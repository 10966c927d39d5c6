import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createApp } from '#infra/app.ts';
import { parseSettings } from '#infra/config.ts';
import { acknowledgeFindings, acknowledgements, acknowledgementsFor } from '#infra/nag-acknowledgements.ts';
import { repositoryContext } from '#infra/synth.ts';
import { placeholderBundles } from './deployments.ts';

const Report = z.object({
  pluginReports: z.array(
    z.object({
      violations: z.array(
        z.object({
          ruleName: z.string(),
          violatingConstructs: z.array(z.object({ constructPath: z.string() })),
        }),
      ),
    }),
  ),
});

let folder: string;
let bundlesDir: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nag-'));
  bundlesDir = await placeholderBundles(join(folder, 'bundles'));
});
beforeEach(() => {
  // CDK prints the whole report before it throws.
  vi.spyOn(console, 'error').mockReturnValue();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const everywhere = ['dev', 'prod'].flatMap((stage) =>
  ['lean', 'full'].map((profile) => ({ stage, profile })),
);

describe('cdk-nag', () => {
  it.each(everywhere)(
    'finds nothing in $stage $profile that is not acknowledged',
    async (context) => {
      expect(await findings({ context })).toEqual([]);
    },
    60_000,
  );

  it.each(everywhere)(
    'finds in $stage $profile exactly what the reviewed list acknowledges',
    async (context) => {
      const listed = acknowledgementsFor(parseSettings(context)).map(
        ({ rule, path }) => `${rule} at ${path}/Resource`,
      );
      expect(await findings({ context, acknowledge: false })).toEqual(listed.sort());
    },
    60_000,
  );

  it('reports: a bucket that takes plain HTTP stops the synthesis', async () => {
    const planted = await findings({
      context: {},
      plant: (app) => new CfnBucket(app.node.findChild('ai-employee-dev-storage'), 'Planted'),
    });
    expect(planted).toContain('AwsSolutions-S10 at ai-employee-dev-storage/Planted');
  }, 60_000);
});

describe('the reviewed list', () => {
  it('gives every entry a reason that says something', () => {
    for (const { reason } of acknowledgements) expect(reason.split(' ').length).toBeGreaterThan(8);
  });

  it('may not name what does not exist', () => {
    expect(() => acknowledgeFindings(new Stack(new App({ outdir: folder })), parseSettings({}))).toThrow(
      /VaultSecret, which does not exist/,
    );
  });
});

/** What cdk-nag reports, as "rule at construct", from the report that a real synthesis writes. */
async function findings(options: {
  readonly context: Record<string, unknown>;
  readonly acknowledge?: boolean;
  readonly plant?: (app: App) => unknown;
}): Promise<string[]> {
  const outDir = await mkdtemp(join(folder, 'out-'));
  const { app } = createApp({
    bundlesDir,
    outDir,
    context: { ...(await repositoryContext()), ...options.context },
    acknowledge: options.acknowledge ?? true,
  });
  options.plant?.(app);
  let failed = false;
  try {
    app.synth();
  } catch {
    failed = true;
  }
  const report = Report.parse(JSON.parse(await readFile(join(outDir, 'validation-report.json'), 'utf8')));
  const found = report.pluginReports.flatMap(({ violations }) =>
    violations.flatMap(({ ruleName, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    ),
  );
  expect(failed).toBe(found.length > 0);
  return found.sort();
}
