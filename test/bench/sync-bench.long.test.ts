import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { Figure } from '../../bench/figure.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../../bench/bench.ts');

// Counts do not depend on the machine; times are for the benchmark to tell and for nobody to fail on.
it.each(['sync-idle', 'sync-delta', 'sync-first', 'sync-one', 'watch'])(
  '%s measures a small vault, and its counts are within budget',
  async (name) => {
    const sizes = ['--rounds', '5', '--notes', '200', '--many-notes', '400'];
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, name, '--json', ...sizes];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const figures = stdout
      .trim()
      .split('\n')
      .map((line) => Figure.parse(JSON.parse(line)));
    const counts = figures.filter((figure) => /-calls$|-bodies-read$/.test(figure.name));
    if (name !== 'watch') expect(counts.length).toBeGreaterThan(1);
    expect(figures.length).toBeGreaterThan(2);
    expect(counts.filter(({ ok }) => !ok)).toEqual([]);
    expect(figures.filter(({ value }) => value === null)).toEqual([]);
  },
);
