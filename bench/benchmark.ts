import type { Figure } from './figure.ts';

/** How much is measured. Smaller numbers give quicker and noisier figures. */
export interface BenchmarkOptions {
  /** Repetitions behind each median. */
  readonly rounds: number;
  /** Ledger entries of `verify`. */
  readonly entries: number;
  /** Mails of one burst of `latency-mail`. */
  readonly burst: number;
  /** Notes in the vault of `sync-idle`, `sync-delta`, `sync-first`, `sync-one` and `watch`. */
  readonly notes: number;
  /** Notes in the large vault of `sync-idle`. */
  readonly manyNotes: number;
  /** How long `latency-mail` sends ten mails a second. */
  readonly seconds: number;
}

/** One benchmark. Figures are made as they come; `log` takes lines about the progress. */
export interface Benchmark {
  readonly name: string;
  readonly about: string;
  run(options: BenchmarkOptions, log: (line: string) => void): AsyncGenerator<Figure>;
}

/** @default for each option of the command line */
export const DEFAULT_OPTIONS: BenchmarkOptions = {
  rounds: 7,
  entries: 20_000,
  burst: 500,
  seconds: 30,
  notes: 10_000,
  manyNotes: 100_000,
};

/** An option as it stands on the command line. @example optionOf('manyNotes') // 'many-notes' */
export function optionOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
