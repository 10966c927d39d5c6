import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { optionOf } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';
import { Figure } from './figure.ts';

/**
 * Runs one benchmark in a process of its own, so that neither the memory nor the compiled code that one leaves behind
 * meets the next. What it says about its progress goes to stderr.
 *
 * @throws when it fails; it has said why by then.
 */
export async function* runApart(name: string, options: BenchmarkOptions): AsyncGenerator<Figure> {
  const program = fileURLToPath(new URL('./bench.ts', import.meta.url));
  const args = [...process.execArgv, program, name, '--json'];
  for (const [option, value] of Object.entries(options)) args.push(`--${optionOf(option)}`, String(value));
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) yield Figure.parse(JSON.parse(line));
  const [status] = (await ended) as unknown[];
  if (status !== 0) throw new Error(`the benchmark ${name} failed`);
}
