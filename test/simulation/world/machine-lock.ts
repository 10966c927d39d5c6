import type { SimProcess } from '../kernel/process.ts';

/** The lock of a machine's state folder: one process at a time, and free when its holder dies. */
export class MachineLock {
  #holder: SimProcess | undefined;
  readonly #known = new WeakSet<SimProcess>();
  readonly #waiting: { readonly process: SimProcess; readonly enter: () => void }[] = [];

  async acquire(process: SimProcess): Promise<void> {
    if (!this.#known.has(process)) process.onEnd(() => this.release(process));
    this.#known.add(process);
    if (this.#holder) await new Promise<void>((enter) => this.#waiting.push({ process, enter }));
    else this.#holder = process;
  }

  release(process: SimProcess): void {
    if (this.#holder !== process) return;
    let next = this.#waiting.shift();
    while (next?.process.isOver) next = this.#waiting.shift();
    this.#holder = next?.process;
    next?.enter();
  }
}
