import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSettings } from '#infra/config.ts';
import { synthesize } from '#infra/synth.ts';
import { placeholderBundles } from './deployments.ts';

interface Limited {
  readonly Type: string;
  readonly Properties: {
    readonly ReservedConcurrentExecutions?: number;
    readonly ScalingConfig?: { readonly MaximumConcurrency: number };
  };
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'concurrency-'));
  await placeholderBundles(join(folder, 'bundles'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What is reserved for each function, and what its queue starts at most. */
async function limits(context: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const outDir = await mkdtemp(join(folder, 'out-'));
  await synthesize({ bundlesDir: join(folder, 'bundles'), outDir, context });
  const file = join(outDir, 'ai-employee-dev-pipeline.template.json');
  const { Resources } = JSON.parse(await readFile(file, 'utf8')) as { Resources: Record<string, Limited> };
  const one = (type: string, start: string): Limited['Properties'] | undefined =>
    Object.entries(Resources).find(([id, { Type }]) => Type === type && id.startsWith(start))?.[1].Properties;
  return Object.fromEntries(
    ['Triage', 'Draft'].map((name) => [
      name,
      [
        one('AWS::Lambda::Function', name)?.ReservedConcurrentExecutions,
        one('AWS::Lambda::EventSourceMapping', name)?.ScalingConfig?.MaximumConcurrency,
      ],
    ]),
  );
}

describe('how many of a function run at once', () => {
  it('is two by default, reserved and as the most that its queue starts', async () => {
    expect(await limits({})).toEqual({ Triage: [2, 2], Draft: [2, 2] });
  }, 60_000);

  it('is set for each function alone, as a number or as text after -c', async () => {
    const context = { triageConcurrency: 20, draftConcurrency: '3' };
    expect(await limits(context)).toEqual({ Triage: [20, 20], Draft: [3, 3] });
  }, 60_000);

  it.each([
    [1, /at least 2, the least that an SQS event source takes/],
    ['1001', /at most 1000/],
    [2.5, /a whole number, such as 2/],
    ['many', /a whole number, such as 2/],
    ['', /a whole number, such as 2/],
  ])('cannot be %j', (draftConcurrency, message) => {
    expect(() => parseSettings({ draftConcurrency })).toThrow(message);
  });
});
