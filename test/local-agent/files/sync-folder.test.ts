import { expect, it } from 'vitest';
import type { Disk } from '#local-agent/files/disk.ts';
import { nodeDisk } from '#local-agent/files/disk.ts';
import { syncFolder } from '#local-agent/files/sync-folder.ts';

/** A disk of which each sync ends when the test says so; descriptors are folders' numbers. */
function slowDisk(): { disk: Disk; begun: number[]; end: (error?: Error) => Promise<void> } {
  const begun: number[] = [];
  const open: PromiseWithResolvers<void>[] = [];
  const disk: Disk = {
    ...nodeDisk,
    fstat: (descriptor) => ({ dev: 1, ino: descriptor }) as ReturnType<Disk['fstat']>,
    sync: (descriptor) => {
      begun.push(descriptor);
      const one = Promise.withResolvers<void>();
      open.push(one);
      return one.promise;
    },
  };
  const end = async (error?: Error): Promise<void> => {
    const one = open.shift();
    if (error) one?.reject(error);
    else one?.resolve();
    await new Promise(setImmediate);
  };
  return { disk, begun, end };
}

it('all who ask while a folder is being synced share the next sync, which begins after they asked', async () => {
  const { disk, begun, end } = slowDisk();
  const done: string[] = [];
  const ask = (name: string): void => void syncFolder(disk, 7).then(() => done.push(name));
  ask('first');
  ask('second');
  ask('third');
  expect(begun).toEqual([7]);
  await end();
  expect(done).toEqual(['first']);
  expect(begun).toEqual([7, 7]);
  ask('fourth');
  await end();
  expect(done).toEqual(['first', 'second', 'third']);
  expect(begun).toHaveLength(3);
  await end();
  expect(done).toHaveLength(4);
});

it('a folder waits for no other one, and a sync that failed fails only who asked for it', async () => {
  const { disk, begun, end } = slowDisk();
  const first = syncFolder(disk, 7);
  const next = syncFolder(disk, 7);
  const other = syncFolder(disk, 8);
  expect(begun).toEqual([7, 8]);
  const failed = expect(first).rejects.toThrow('disk full');
  await end(new Error('disk full'));
  await failed;
  await end();
  await other;
  await end();
  await next;
  expect(begun).toEqual([7, 8, 7]);
});
