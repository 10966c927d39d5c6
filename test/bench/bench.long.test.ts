import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Figure, figureOf } from '../../bench/figure.ts';
import { median, quantile } from '../../bench/measure.ts';
import { BENCHMARKS, selectBenchmarks } from '../../bench/registry.ts';
import { jsonLine, table } from '../../bench/report.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../../bench/bench.ts');

function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const all = ['--disable-warning=ExperimentalWarning', PROGRAM, ...args];
    execFile(process.execPath, all, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('the registry', () => {
  it('has each benchmark once', () => {
    const names = BENCHMARKS.map(({ name }) => name);
    expect(names.toSorted()).toEqual([
      'approve',
      'bundle',
      'claims',
      'cpu-mail',
      'init',
      'latency-mail',
      'simulate',
      'sync-delta',
      'sync-first',
      'sync-idle',
      'sync-one',
      'synth',
      'verify',
      'watch',
    ]);
  });

  it('selects by name, in its own order, and everything without names', () => {
    expect(selectBenchmarks(['verify', 'approve', 'verify']).map(({ name }) => name)).toEqual([
      'approve',
      'verify',
    ]);
    expect(selectBenchmarks([])).toBe(BENCHMARKS);
  });
});

describe('a figure', () => {
  it.each([
    ['<=', 125, 100, true],
    ['<=', 126, 100, false],
    ['>=', 90, 100, true],
    ['>=', 89, 100, false],
  ] as const)('is judged by its ratio: %s the limit, %d to %d', (is, value, anchor, ok) => {
    const figure = figureOf('x', { value, anchor }, { of: 'ratio', is, limit: is === '<=' ? 1.25 : 0.9 });
    expect(figure).toMatchObject({ ratio: value / anchor, ok });
  });

  it('is judged by itself where there is no anchor', () => {
    const budget = { of: 'value', is: '<=', limit: 0 } as const;
    expect(figureOf('x', { value: 0 }, budget)).toMatchObject({ anchor: null, ratio: null, ok: true });
    expect(figureOf('x', { value: 1 }, budget)).toMatchObject({ ok: false });
  });

  it('that could not be measured has missed its budget', () => {
    const figure = figureOf('x', { value: Number.NaN }, { of: 'value', is: '<=', limit: 1 });
    expect(Figure.parse(JSON.parse(jsonLine(figure)))).toMatchObject({ value: null, ok: false });
  });

  it('is one line of JSON, and a row of the table', () => {
    const figure = figureOf('x/y-ms', { value: 2.00001, anchor: 1 }, { of: 'ratio', is: '<=', limit: 1.25 });
    expect(jsonLine(figure)).toBe(
      '{"name":"x/y-ms","value":2,"anchor":1,"ratio":2,"budget":"ratio <= 1.25","ok":false}',
    );
    expect(table([figure]).split('\n')[1]).toMatch(/^x\/y-ms +2 +1 +2 +ratio <= 1\.25 +MISSED$/);
  });
});

describe('the statistics', () => {
  it('take the middle, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it('take quantiles by the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([50, 99, 100]);
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

describe('the command', () => {
  it('prints one line of JSON a figure on stdout and the progress on stderr, and misses fail nothing', async () => {
    const { code, stdout, stderr } = await bench('approve', '--json', '--rounds', '5');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => Figure.parse(JSON.parse(line)).name),
    ).toEqual(['approve/cpu-ms']);
    expect(stderr).toContain('approve');
    expect(code).toBe(0);
  });

  it.each([
    [['nonsense'], 'there is no benchmark nonsense; there are approve, watch, bundle, init, claims'],
    [['approve', '--rounds', '4'], '--rounds is "4"; it has to be a whole number of at least 5'],
    [['approve', '--fast'], '--fast'],
  ])('refuses %j', async (args, why) => {
    const { code, stdout, stderr } = await bench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
  });

  it('names every benchmark in its help', async () => {
    const { code, stdout } = await bench('--help');
    expect(code).toBe(0);
    for (const { name } of BENCHMARKS) expect(stdout).toContain(`  ${name} `);
  });
});
