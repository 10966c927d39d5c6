import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ensureBundles } from '#infra/build.ts';
import { outputPaths } from '#infra/paths.ts';
import { buildBaseBundle } from './base-bundle.ts';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import { sideBySide } from './measure.ts';

const FUNCTIONS = [
  { name: 'triage', limit: 1.25 },
  { name: 'draft', limit: 1.35 },
] as const;

/** A process starts in tens of ms, so more of them can be had than of other rounds. */
const STARTS_A_ROUND = 2;

/** The CPU that a function's cold start spends on loading its code. */
export const init: Benchmark = {
  name: 'init',
  about: 'CPU of importing each bundle in a new process, beside one of the three SDK clients alone',
  async *run({ rounds }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'bench-init-'));
    try {
      await ensureBundles();
      const base = path.join(folder, 'base.mjs');
      await buildBaseBundle(base);
      for (const { name, limit } of FUNCTIONS) {
        const file = path.join(outputPaths.bundlesDir, name, 'index.mjs');
        const measured = await sideBySide(
          rounds * STARTS_A_ROUND,
          () => importCpuMs(file),
          () => importCpuMs(base),
        );
        yield figureOf(`init/${name}-cpu-ms`, measured, { of: 'ratio', is: '<=', limit });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const PROGRAM = `
const before = process.cpuUsage();
await import(process.argv[1]);
const { user, system } = process.cpuUsage(before);
process.stdout.write(String((user + system) / 1000), () => process.exit(0));
`;

/** Both functions' environments in one; nothing is called with them. */
const ENVIRONMENT = {
  TASKS_TABLE: 'tasks',
  LEDGER_TABLE: 'ledger',
  VAULT_BUCKET: 'vault',
  INBOUND_BUCKET: 'inbound',
  DRAFTING_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/drafting',
  VAULT_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:vault',
  OWN_ADDRESSES: 'assistant@example.com',
  FROM_ADDRESS: 'assistant@example.com',
  POWERTOOLS_SERVICE_NAME: 'bench',
  POWERTOOLS_METRICS_NAMESPACE: 'bench',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
};

async function importCpuMs(file: string): Promise<number> {
  const args = ['--input-type=module', '--eval', PROGRAM, pathToFileURL(file).href];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: ENVIRONMENT });
  return z.coerce.number().positive().parse(stdout.trim());
}
