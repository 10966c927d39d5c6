import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readOptions, SimulateUsageError } from './simulate-options.ts';

const PROGRAM = fileURLToPath(new URL('./simulate.ts', import.meta.url));
const run = promisify(execFile);

describe('the command line of the simulator', () => {
  it('runs seeds in other processes, and answers with one JSON document', async () => {
    const { stdout } = await run(process.execPath, [
      PROGRAM,
      '--seeds',
      '2',
      '--from',
      '15',
      '--jobs',
      '2',
      '--json',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ from: 15, seeds: 2, violations: [], interrupted: false });
  });

  it('tells its options, and refuses others with 2', async () => {
    expect((await run(process.execPath, [PROGRAM, '--help'])).stdout).toContain('--minutes M');
    await expect(run(process.execPath, [PROGRAM, '--sed', '1'])).rejects.toMatchObject({ code: 2 });
  });

  it('reads numbers strictly, and knows which options go together', () => {
    expect(readOptions(['--seed', '7', '--only', 'mail-1, deed-2'])).toMatchObject({
      seed: 7,
      only: ['mail-1', 'deed-2'],
    });
    for (const wrong of [
      ['--seeds', '0'],
      ['--seeds', 'x'],
      ['--minutes', '-1'],
      ['--trace'],
      ['--only', 'mail-1'],
      ['rest'],
    ]) {
      expect(() => readOptions(wrong), wrong.join(' ')).toThrow(SimulateUsageError);
    }
  });
});
