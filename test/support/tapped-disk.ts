import { nodeDisk } from '#local-agent/files/disk.ts';
import type { Disk } from '#local-agent/files/disk.ts';

/** A moment of a call to the disk: right before it, or right after it has taken effect. */
export interface Moment {
  /** Counted from 1 over all calls. */
  readonly n: number;
  readonly call: keyof Disk;
  readonly when: 'before' | 'after';
  readonly args: readonly unknown[];
}

/** A disk, by default the real one, with somebody at every moment of it: who throws there makes the call fail. */
export function tappedDisk(onMoment: (moment: Moment) => void, disk: Disk = nodeDisk): Disk {
  let n = 0;
  return new Proxy(disk, {
    get(target, name: keyof Disk, receiver) {
      const call = Reflect.get(target, name, receiver) as (...args: unknown[]) => unknown;
      return (...args: unknown[]): unknown => {
        n += 1;
        const at = { n, call: name, args };
        onMoment({ ...at, when: 'before' });
        const result = call(...args);
        if (!(result instanceof Promise)) {
          onMoment({ ...at, when: 'after' });
          return result;
        }
        return result.then((value: unknown) => {
          onMoment({ ...at, when: 'after' });
          return value;
        });
      };
    },
  });
}

/** What the operating system says when it refuses. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: refused by the test`), { code, syscall: 'test' });
}
