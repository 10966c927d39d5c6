import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '#protocol/canonical.ts';
import { GENESIS_PREV, type LedgerEntry } from '#protocol/ledger-entry.ts';
import type { LedgerStore } from '#protocol/ports.ts';
import type { Harness, MakeAdapter } from './harness.ts';

/** An entry of the right form; its signature is of no interest to a store. */
export function anEntry(vaultId: string, n: number, changes: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    v: 1,
    vaultId,
    n,
    prev: GENESIS_PREV,
    at: '2026-11-21T08:00:00.000Z',
    writer: 'cloud',
    attempt: randomUUID(),
    kind: 'task',
    ring: 'shared',
    keyEpoch: 1,
    body: 'c2VhbGVk',
    sig: 'c2lnbmF0dXJl',
    ...changes,
  };
}

/** What every ledger store does. */
export function describeLedgerStoreContract(name: string, makeAdapter: MakeAdapter<LedgerStore>): void {
  describe(`ledger store: ${name}`, () => {
    let harness: Harness<LedgerStore>;
    let store: LedgerStore;
    beforeAll(async () => {
      harness = await makeAdapter();
      store = harness.adapter;
    });
    afterAll(() => harness.close());

    async function readAll(vaultId: string, after = 0): Promise<LedgerEntry[]> {
      const all: LedgerEntry[] = [];
      for (let more = true; more;) {
        const page = await store.read(vaultId, all.at(-1)?.n ?? after);
        all.push(...(page.entries as LedgerEntry[]));
        more = page.more;
      }
      return all;
    }

    it('has nothing in a ledger that nobody wrote', async () => {
      expect(await store.read(randomUUID(), 0)).toEqual({ entries: [], more: false, leftOut: 0 });
    });

    it('leaves out the entries that the reader knows, if they stand there as it knows them', async () => {
      const vaultId = randomUUID();
      const [one, two] = [1, 2].map((n) => anEntry(vaultId, n, { sig: `c2lnbmF0dXJl${n}` })) as [
        LedgerEntry,
        LedgerEntry,
      ];
      await store.append(one);
      expect(await store.read(vaultId, 0, [one])).toEqual({ entries: [], more: false, leftOut: 1 });
      await store.append(two);
      expect(await store.read(vaultId, 0, [one])).toEqual({ entries: [two], more: false, leftOut: 1 });
      expect(await store.read(vaultId, 0, [one, two])).toEqual({ entries: [], more: false, leftOut: 2 });
      const other = { n: 1, sig: 'b3RoZXI=' };
      expect(await store.read(vaultId, 0, [other])).toEqual({
        entries: [one, two],
        more: false,
        leftOut: 0,
      });
      expect(await store.read(vaultId, 2, [{ ...two, n: 3 }])).toEqual({
        entries: [],
        more: false,
        leftOut: 0,
      });
    });

    it('puts an entry under a free number, and never a second one', async () => {
      const vaultId = randomUUID();
      const first = anEntry(vaultId, 1);
      expect(await store.append(first)).toBe('appended');
      expect(await store.append(anEntry(vaultId, 1))).toBe('taken');
      expect(await store.append(first)).toBe('taken');
      expect(await readAll(vaultId)).toEqual([first]);
    });

    it('keeps ledgers apart and answers in the order of numbers, after the one named', async () => {
      const [vaultId, other] = [randomUUID(), randomUUID()];
      const numbers = [2, 11, 1, 10, 3];
      for (const n of numbers) await store.append(anEntry(vaultId, n));
      await store.append(anEntry(other, 5));
      expect((await readAll(vaultId)).map(({ n }) => n)).toEqual([1, 2, 3, 10, 11]);
      expect((await readAll(vaultId, 3)).map(({ n }) => n)).toEqual([10, 11]);
      expect(await readAll(vaultId, 11)).toEqual([]);
    });

    it('gives back the very value that was written', async () => {
      const vaultId = randomUUID();
      const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 });
      let n = 0;
      await fc.assert(
        fc.asyncProperty(text, text, fc.boolean(), fc.nat(), async (attempt, body, named, epoch) => {
          n += 1;
          const task = named ? { taskId: 't0123456789abcdef0123', epoch } : {};
          const entry = anEntry(vaultId, n, { attempt, body, ...task });
          await store.append(entry);
          const [read] = (await store.read(vaultId, n - 1)).entries;
          expect(canonicalJson(read)).toBe(canonicalJson(entry));
        }),
        { numRuns: 30 },
      );
    });

    it('reads more than one page to the end', async () => {
      const vaultId = randomUUID();
      const body = 'x'.repeat(180_000);
      for (let n = 1; n <= 12; n++) await store.append(anEntry(vaultId, n, { body }));
      const first = await store.read(vaultId, 0);
      expect(first.more).toBe(true);
      expect((await readAll(vaultId)).map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    });

    it('has no hole and no double when sixteen append at once', async () => {
      const vaultId = randomUUID();
      const writers = Array.from({ length: 16 }, (_, index) => `writer-${index}`);
      await Promise.all(
        writers.map(async (writer) => {
          for (let done = 0; done < 3;) {
            const head = (await readAll(vaultId)).at(-1)?.n ?? 0;
            if ((await store.append(anEntry(vaultId, head + 1, { writer }))) === 'appended') done += 1;
          }
        }),
      );
      const all = await readAll(vaultId);
      expect(all.map(({ n }) => n)).toEqual(Array.from({ length: 48 }, (_, index) => index + 1));
      for (const writer of writers) expect(all.filter((entry) => entry.writer === writer)).toHaveLength(3);
    });
  });
}
