import { approve } from './approve.ts';
import type { Benchmark } from './benchmark.ts';
import { bundle } from './bundle.ts';
import { claims } from './claims.ts';
import { cpuMail } from './cpu-mail.ts';
import { init } from './init.ts';
import { latencyMail } from './latency-mail.ts';
import { simulate } from './simulate.ts';
import { syncDelta } from './sync-delta.ts';
import { syncFirst } from './sync-first.ts';
import { syncIdle } from './sync-idle.ts';
import { syncOne } from './sync-one.ts';
import { synth } from './synth.ts';
import { verify } from './verify.ts';
import { watch } from './watch.ts';

/** All benchmarks, cheapest first. */
export const BENCHMARKS: readonly Benchmark[] = [
  approve,
  watch,
  bundle,
  init,
  claims,
  verify,
  syncOne,
  cpuMail,
  simulate,
  synth,
  syncDelta,
  syncFirst,
  syncIdle,
  latencyMail,
];

/** A name on the command line is none of a benchmark. */
export class UnknownBenchmarkError extends Error {
  static readonly code = 'UNKNOWN_BENCHMARK';

  constructor(names: readonly string[]) {
    const known = BENCHMARKS.map(({ name }) => name).join(', ');
    super(`there is no benchmark ${names.join(', ')}; there are ${known}`);
    this.name = 'UnknownBenchmarkError';
  }
}

/**
 * The benchmarks of these names, each once and in the order of the registry; all for no names.
 *
 * @throws {UnknownBenchmarkError} naming those that exist.
 */
export function selectBenchmarks(names: readonly string[]): readonly Benchmark[] {
  const unknown = names.filter((wanted) => !BENCHMARKS.some(({ name }) => name === wanted));
  if (unknown.length > 0) throw new UnknownBenchmarkError(unknown);
  return names.length === 0 ? BENCHMARKS : BENCHMARKS.filter(({ name }) => names.includes(name));
}
