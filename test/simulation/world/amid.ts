import type { Moment } from '../plan.ts';
import type { World } from './world.ts';

/** Lets things happen when it is time, or amid the next call of a machine that they name. */
export class Amid {
  readonly #world: World;
  #waiting: { readonly moment: Moment; readonly act: () => void }[] = [];
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
    world.kernel.watch({
      begin: ({ process, port, method }) => {
        if (this.#waiting.length === 0) return;
        const isNow = ({ moment: { machine, amid } }: { readonly moment: Moment }): boolean =>
          machine === process.host.name && amid === `${port}.${method}`;
        const due = this.#waiting.filter(isNow);
        this.#waiting = this.#waiting.filter((each) => !isNow(each));
        for (const { act } of due) act();
      },
    });
  }

  /** @param words what the trace says of it. */
  plan(moment: Moment, words: string, happens: () => void): void {
    const { scheduler, trace } = this.#world.kernel;
    const act = (): void => {
      trace.note(scheduler.nowMs, moment.id, `${moment.machine}: ${words}`);
      happens();
    };
    scheduler.at(moment.atMs, () => {
      if (!moment.amid) act();
      else if (!this.#isOver) this.#waiting.push({ moment, act });
    });
  }

  /** What still waits for its call, or would begin to, does not happen any more. */
  end(): void {
    this.#isOver = true;
    this.#waiting = [];
  }
}
