/** A promise of the demo did not hold. */
export class DemoFailed extends Error {
  static readonly code = 'DEMO_FAILED';
}

/** Prints one line per step, with the seconds since the start and what the step took. */
export interface Steps {
  /** Runs a step; the text it answers is shown below its line. */
  step<T>(title: string, work: () => Promise<T>, show?: (result: T) => string): Promise<T>;
  /** Steps done so far. */
  count(): number;
}

/** Makes the printer; `write` gets whole lines. */
export function createSteps(write: (line: string) => void): Steps {
  const started = performance.now();
  let done = 0;
  return {
    async step(title, work, show) {
      const began = performance.now();
      let result;
      try {
        result = await work();
      } catch (error) {
        write(`${clock(began - started)}  FAILED  ${title}`);
        throw error;
      }
      done += 1;
      write(`${clock(began - started)}  ${title}  (${Math.round(performance.now() - began)} ms)`);
      if (show) for (const line of show(result).split('\n')) write(`          ${line}`);
      return result;
    },
    count: () => done,
  };
}

/** Holds a promise of the demo, or ends it. */
export function hold(condition: boolean, otherwise: string): void {
  if (!condition) throw new DemoFailed(otherwise);
}

function clock(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(6)} s`;
}
