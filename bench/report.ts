import type { Figure } from './figure.ts';

/** One figure as a line of JSON, its members always in this order. */
export function jsonLine({ name, value, anchor, ratio, budget, ok }: Figure): string {
  return JSON.stringify({ name, value, anchor, ratio, budget, ok });
}

/** All figures as a table for people. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, anchor, ratio, budget, ok }) => [
    name,
    shown(value),
    shown(anchor),
    shown(ratio),
    budget,
    ok ? 'kept' : 'MISSED',
  ]);
  const all = [['figure', 'value', 'anchor', 'ratio', 'budget', ''], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) => row.map((cell, column) => padded(cell, widths[column] ?? 0, column)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

const NUMBERS = new Set([1, 2, 3]);

function padded(cell: string, width: number, column: number): string {
  return NUMBERS.has(column) ? cell.padStart(width) : cell.padEnd(width);
}

function shown(value: number | null): string {
  return value === null ? '-' : value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
