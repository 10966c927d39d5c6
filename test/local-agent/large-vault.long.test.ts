import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { syncVault } from '#local-agent/sync/sync.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import { readTree } from '#test/support/vault-tree.ts';

const NOTES = 100_000;
const IDLE_SYNCS = 20;
const MB = 1024 * 1024;

it(
  '100,000 notes are synced, looked at again and restored within bounded memory',
  { timeout: 900_000 },
  async () => {
    const world = await createLocalWorld(['laptop', 'desktop']);
    try {
      for (let at = 0; at < NOTES; at += 100) {
        const folder = path.join(world.vault, `Notes/${Math.floor(at / 10_000)}/${at}`);
        mkdirSync(folder, { recursive: true });
        for (let i = at; i < at + 100; i++)
          writeFileSync(
            path.join(folder, `note-${i}.md`),
            `# Note ${i}\n\nA line of note ${i}.\n`.repeat(10),
          );
      }
      const startMb = heldMb();
      expect(await syncVault(world.agent)).toMatchObject({ pushed: NOTES, conflicts: [] });
      const syncedMb = heldMb();
      for (let i = 0; i < 3; i++) await syncVault(world.agent);
      const restedMb = heldMb();
      const entries = world.ledger.rows.length;
      for (let i = 0; i < IDLE_SYNCS; i++)
        expect(await syncVault(world.agent)).toMatchObject({ pushed: 0, applied: 0 });
      const afterMb = heldMb();
      expect(world.ledger.rows).toHaveLength(entries);

      const { agent, vault } = world.machine('desktop');
      expect(await syncVault(agent)).toMatchObject({ pushed: 0, conflicts: [] });
      expect(readTree(vault).contents).toEqual(readTree(world.vault).contents);

      console.info({
        startMb,
        syncedMb,
        restedMb,
        afterMb,
        rssMb: Math.round(process.memoryUsage.rss() / MB),
      });
      // What the state of 100,000 files needs; their contents, 35 MB here and any number elsewhere, are not in it.
      expect(syncedMb - startMb).toBeLessThan(500);
      expect(afterMb - restedMb).toBeLessThan(16);
    } finally {
      world.dispose();
    }
  },
);

/** What is still held after a collection: the heap, and bytes outside of it. */
function heldMb(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / MB);
}
