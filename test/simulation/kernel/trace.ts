import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { describeStep } from './describe-step.ts';
import type { Step } from './kernel.ts';

/** What happened, in order, for a person to read; and its hash, by which two runs are compared. */
export class Trace {
  readonly lines: string[] = [];
  readonly #hash: Hash = createHash('sha256');
  readonly #keeps: 'nothing' | 'changes' | 'everything';

  /** @param keeps which lines are kept; all count for the hash. */
  constructor(keeps: 'nothing' | 'changes' | 'everything') {
    this.#keeps = keeps;
  }

  step(nowMs: number, step: Step): void {
    const { text, changes } = describeStep(step);
    this.#add(`${timeText(nowMs)} ${step.process.name} ${text}`, changes);
  }

  /** Something that is no call: a deed, a death, a fault of a machine. */
  note(nowMs: number, who: string, what: string): void {
    this.#add(`${timeText(nowMs)} ${who} ${what}`, true);
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  #add(line: string, changes: boolean): void {
    this.#hash.update(line);
    if (this.#keeps === 'everything' || (changes && this.#keeps === 'changes')) this.lines.push(line);
  }
}

/** Days, hours, minutes, seconds and milliseconds since the beginning. @example timeText(90_061_001) // '1d 01:01:01.001' */
export function timeText(ms: number): string {
  const clock = new Date(ms).toISOString().slice(11, 23);
  return `${Math.floor(ms / 86_400_000)}d ${clock}`;
}
