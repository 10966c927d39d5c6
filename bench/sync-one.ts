import { appendFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import { median } from './measure.ts';
import { makeNoteTree } from './note-tree.ts';
import { createSyncWorld, openResident, syncOnce } from './sync-world.ts';
import type { Measured } from './sync-world.ts';

const ENVELOPE_BYTES = 4096;

/** A person edits one note: what goes up, and what comes down on the other machine. */
export const syncOne: Benchmark = {
  name: 'sync-one',
  about: 'one edited note among 10,000: calls, time, and bytes over the wire with all headers',
  async *run({ rounds, notes }, log) {
    const world = await createSyncWorld();
    try {
      const laptop = await world.firstMachine('one-laptop', true);
      log(`writing ${notes} notes, uploading them, and restoring them on a second machine`);
      const tree = makeNoteTree(laptop.vault, notes);
      await syncOnce(laptop);
      const desktop = await world.addMachine(laptop, 'one-desktop');
      await syncOnce(desktop);
      const [here, there] = [await openResident(laptop), await openResident(desktop)];
      const [up, down, overhead]: [Measured[], Measured[], number[]] = [[], [], []];
      try {
        log(`${rounds} edits`);
        for (let round = 0; round <= rounds; round++) {
          const note = path.join(tree.folder, tree.pathOf(round * 7));
          appendFileSync(note, `\nOne more line in round ${round}.\n`);
          const sizeBytes = statSync(note).size;
          const sent = await world.measure(async () => void (await here.sync()));
          const taken = await world.measure(async () => void (await there.sync()));
          // The first round opens the connections.
          if (round === 0) continue;
          up.push(sent);
          down.push(taken);
          overhead.push(sent.bytes - sizeBytes, taken.bytes - sizeBytes);
        }
      } finally {
        await here.close();
        await there.close();
      }
      const of = (runs: readonly Measured[], what: keyof Measured): { value: number } => ({
        value: median(runs.map((run) => run[what])),
      });
      const most = { value: Math.max(...overhead) };
      yield figureOf('sync-one/up-calls', of(up, 'calls'), { of: 'value', is: '<=', limit: 2 });
      yield figureOf('sync-one/down-calls', of(down, 'calls'), { of: 'value', is: '<=', limit: 1 });
      yield figureOf('sync-one/bytes-beside-the-note', most, {
        of: 'value',
        is: '<=',
        limit: ENVELOPE_BYTES,
      });
      yield figureOf('sync-one/up-ms', of(up, 'ms'), { of: 'value', is: '<=', limit: 300 });
      yield figureOf('sync-one/down-ms', of(down, 'ms'), { of: 'value', is: '<=', limit: 300 });
    } finally {
      await world.close();
    }
  },
};
