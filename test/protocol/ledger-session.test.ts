import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import type { EntryDraft, LedgerEntry } from '#protocol/ledger-entry.ts';
import { entryHash } from '#protocol/ledger-entry.ts';
import { MAX_KNOWN } from '#protocol/ports.ts';
import type { LedgerStore } from '#protocol/ports.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import { createMemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import { change, vaultAt } from './scene.ts';

const said = (code: string): EntryDraft => ({
  body: { kind: 'override', what: { of: 'repair', code }, reason: 'test' },
});

describe('pulling', () => {
  it.each([1, 2, 3, 100])('reads all that came, in pages of %i', async (pageSize) => {
    const vault = vaultAt('done');
    const session = vault.session(vault.cloud, vault.store(pageSize));
    expect(await session.pull()).toBe(7);
    expect(session.state.head.n).toBe(7);
    expect(session.state.head).toEqual(vault.head);
    expect(await session.pull()).toBe(0);
  });

  it('notices that entries it saw were cut off', async () => {
    const vault = vaultAt('done');
    for (const keep of [0, 3, 6]) {
      const store = vault.store();
      const session = vault.session(vault.local, store);
      await session.pull();
      store.rows.length = keep;
      await expect(session.pull(), `${keep}`).rejects.toThrow('entry 7: is gone, and was seen before');
      expect(session.state.head.n).toBe(7);
    }
  });

  it('notices that another history, well signed, was put in place of the one it saw', async () => {
    const vault = vaultAt('done');
    const store = vault.store();
    const session = vault.session(vault.local, store);
    await session.pull();
    vault.entries.length = 6;
    vault.append(said('another seventh'));
    vault.append(said('and an eighth'));
    store.rows.splice(0, Infinity, ...vault.store().rows);
    await expect(session.pull()).rejects.toThrow('entry 7: is not the one that was seen before');
  });

  it('notices that the last entry it saw was replaced', async () => {
    const vault = vaultAt('done');
    const store = vault.store();
    const session = vault.session(vault.local, store);
    await session.pull();
    const [last] = store.rows.slice(-1);
    if (last) last.entry = { ...(last.entry as LedgerEntry), attempt: 'another', sig: 'b3RoZXI=' };
    await expect(session.pull()).rejects.toThrow('entry 7: is not the one that was seen before');
  });

  it('twice at once admits each entry once', async () => {
    const vault = vaultAt('done');
    const session = vault.session(vault.local, vault.store(2));
    const [first, second] = await Promise.all([session.pull(), session.pull()]);
    expect([first, second]).toEqual([7, 0]);
  });

  it('goes on after a store that failed', async () => {
    const vault = vaultAt('done');
    const store = vault.store(2);
    let reads = 0;
    const flaky: LedgerStore = {
      ...store,
      read: (...args) => (++reads === 2 ? Promise.reject(new Error('no service')) : store.read(...args)),
    };
    const session = vault.session(vault.local, flaky);
    await expect(session.pull()).rejects.toThrow('no service');
    await session.pull();
    expect(session.state.head).toEqual(vault.head);
  });
});

describe('appending', () => {
  it('puts the entry behind the last one and takes effect here', async () => {
    const vault = createLedgerFactory();
    const store = vault.store();
    const session = vault.session(vault.cloud, store);
    await session.pull();
    const outcome = await session.append(() => change('created'));
    expect(outcome).toMatchObject({ appended: true, entry: { n: 2, writer: 'cloud' } });
    expect(session.state.tasks.size).toBe(1);
    expect(store.rows).toHaveLength(2);
  });

  it('never makes the first entry of anything but keys', async () => {
    const vault = createLedgerFactory();
    const empty = createMemoryLedgerStore();
    await expect(vault.session(vault.cloud, empty).append(() => change('created'))).rejects.toThrow(
      'entry 1: is missing: the vault was not set up yet',
    );
    expect(empty.rows).toEqual([]);
    await vault.session(vault.local, empty).append(() => ({ body: vault.keys }));
    expect(await vault.session(vault.cloud, empty).append(() => change('created'))).toMatchObject({
      entry: { n: 2 },
    });
  });

  it('asks again with what others wrote, and may have nothing left to say', async () => {
    const vault = createLedgerFactory();
    const store = vault.store();
    const [cloud, laptop] = [vault.session(vault.cloud, store), vault.session(vault.local, store)];
    await Promise.all([cloud.pull(), laptop.pull()]);
    await cloud.append(() => change('created'));
    const heads: number[] = [];
    const outcome = await laptop.append((state) => {
      heads.push(state.head.n);
      return state.tasks.size === 0 ? change('created') : undefined;
    });
    expect(outcome).toEqual({ appended: false });
    expect(heads).toEqual([1, 2]);
    expect(store.rows).toHaveLength(2);
  });

  it('whose reply was lost is known to have succeeded, and is written once', async () => {
    const vault = createLedgerFactory();
    const store = vault.store();
    const session = vault.session(vault.local, { ...store, append: lossy(store, ['after']) });
    await session.pull();
    expect(await session.append(() => said('x'))).toMatchObject({ appended: true, entry: { n: 2 } });
    expect(store.rows).toHaveLength(2);
  });

  it('whose reply was lost is known to have succeeded, even when others wrote since', async () => {
    const vault = createLedgerFactory();
    const store = vault.store();
    const desktop = vault.session(vault.other, store);
    const append = lossy(store, ['after']);
    const session = vault.session(vault.local, {
      ...store,
      append: async (entry) => {
        try {
          return await append(entry);
        } catch (error) {
          await desktop.pull();
          await desktop.append(() => said('theirs'));
          throw error;
        }
      },
    });
    await session.pull();
    expect(await session.append(() => said('mine'))).toMatchObject({ appended: true, entry: { n: 2 } });
    expect(session.state.head.n).toBe(3);
    expect(store.rows).toHaveLength(3);
  });

  it('that failed before it was written is tried again', async () => {
    const vault = createLedgerFactory();
    const store = vault.store();
    const session = vault.session(vault.local, { ...store, append: lossy(store, ['before', 'before']) });
    await session.pull();
    expect(await session.append(() => said('x'))).toMatchObject({ appended: true, entry: { n: 2 } });
    expect(store.rows).toHaveLength(2);
  });

  it('fails with the error of a store that stays away, after three tries', async () => {
    const vault = createLedgerFactory();
    const store = vault.store();
    const faults = ['before', 'before', 'before', 'none'] as const;
    const session = vault.session(vault.local, { ...store, append: lossy(store, faults) });
    await session.pull();
    await expect(session.append(() => said('x'))).rejects.toThrow('no service');
    expect(store.rows).toHaveLength(1);
    expect(await session.append(() => said('y'))).toMatchObject({ appended: true });
  });

  it('counts failures, not the times that others were first', async () => {
    const vault = createLedgerFactory();
    const store = vault.store();
    const desktop = vault.session(vault.other, store);
    let calls = 0;
    const session = vault.session(vault.local, {
      ...store,
      append: async (entry) => {
        calls += 1;
        if (calls === 5) throw new Error('no service');
        if (calls < 5) {
          await desktop.pull();
          await desktop.append(() => said(`theirs ${calls}`));
        }
        return store.append(entry);
      },
    });
    await session.pull();
    expect(await session.append(() => said('mine'))).toMatchObject({ appended: true, entry: { n: 6 } });
  });

  it('gives up when it is overtaken for ever', async () => {
    const vault = createLedgerFactory();
    const session = vault.session(vault.local, { ...vault.store(), append: () => Promise.resolve('taken') });
    await session.pull();
    await expect(session.append(() => said('x'))).rejects.toThrow('the ledger was busy');
  });

  it.each([1, 2, 100])(
    'into a table that was cut a moment before is noticed when it is read (%i a page)',
    async (pageSize) => {
      const vault = vaultAt('done');
      const store = vault.store(pageSize);
      const session = vault.session(vault.local, store);
      await session.pull();
      store.rows.length = 5;
      await session.append(() => said('behind a hole'));
      await session.append(() => said('and on from there'));
      expect(store.rows.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 8, 9]);
      for (let again = 0; again < 2; again++)
        await expect(session.pull()).rejects.toThrow('entry 7: is not the one that was seen before');
    },
  );

  it.each([1, 2])(
    'is not taken for what others wrote in its place since the table was cut (%i of two)',
    async (kept) => {
      const vault = vaultAt('done');
      const store = vault.store();
      const session = vault.session(vault.local, store);
      await session.pull();
      await session.append(() => said('one'));
      await session.append(() => said('two'));
      store.rows.length -= 3 - kept;
      await expect(session.pull()).rejects.toThrow(LedgerIntegrityError);
      const other = vault.session(vault.local, store);
      for (const code of ['three', 'four']) await other.append(() => said(code));
      for (let again = 0; again < 3; again++)
        await expect(session.pull()).rejects.toThrow(LedgerIntegrityError);
    },
  );

  it('is read back without being fetched again', async () => {
    const vault = vaultAt('done');
    const store = vault.store();
    const pages: unknown[][] = [];
    const session = vault.session(vault.local, {
      ...store,
      read: async (...args) => {
        const page = await store.read(...args);
        pages.push([...page.entries]);
        return page;
      },
    });
    await session.pull();
    for (const code of ['one', 'two', 'three']) await session.append(() => said(code));
    pages.length = 0;
    for (let again = 0; again < 2; again++) expect(await session.pull()).toBe(0);
    // More than are asked for at once are fetched.
    for (let i = 0; i < MAX_KNOWN; i++) await session.append(() => said(`${i}`));
    expect(await session.pull()).toBe(0);
    expect(pages.map(({ length }) => length)).toEqual([0, 0, 1 + MAX_KNOWN]);
  });

  it('is read back once, in any pages', async () => {
    const vault = vaultAt('done');
    for (const pageSize of [1, 2, 3, 100]) {
      const store = vault.store(pageSize);
      const after: number[] = [];
      const watched: LedgerStore = {
        ...store,
        read: (vaultId, from, known) => {
          after.push(from);
          return store.read(vaultId, from, known);
        },
      };
      const session = vault.session(vault.local, watched);
      await session.pull();
      for (const code of ['one', 'two', 'three']) await session.append(() => said(code));
      after.length = 0;
      expect(await session.pull()).toBe(0);
      expect(after[0]).toBe(6);
      after.length = 0;
      expect(await session.pull()).toBe(0);
      expect(after).toEqual([9]);
    }
  });

  it('is not tried on after a read that failed, before another one has succeeded', async () => {
    const vault = vaultAt('done');
    const store = vault.store();
    const session = vault.session(vault.local, store);
    await session.pull();
    const [last] = store.rows.splice(6);
    await expect(session.pull()).rejects.toThrow('entry 7: is gone');
    await expect(session.append(() => said('on top of less'))).rejects.toThrow('entry 7: is gone');
    expect(store.rows).toHaveLength(6);
    if (last) store.rows.push(last);
    expect(await session.append(() => said('whole again'))).toMatchObject({ entry: { n: 8 } });
  });

  it('is refused when the ledger that it finds was tampered with', async () => {
    const vault = vaultAt('done');
    const store = vault.store();
    const session = vault.session(vault.local, store);
    await session.pull();
    const [row] = store.rows.slice(-1);
    store.rows.push({ vaultId: vault.vaultId, n: 8, entry: { ...(row?.entry as LedgerEntry), n: 8 } });
    await expect(session.append(() => said('x'))).rejects.toThrow(LedgerIntegrityError);
  });

  it('by several at once, with replies lost and calls failed, writes each entry once and in one order', async () => {
    const faults = fc.array(fc.constantFrom('none' as const, 'before' as const, 'after' as const), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), faults, faults, async (scheduler, first, second) => {
        const vault = createLedgerFactory();
        const store = vault.store(2);
        const sessions = [first, second].map((plan, index) => {
          const append = lossy(store, sparse(plan));
          return vault.session(index === 0 ? vault.cloud : vault.local, {
            append: scheduler.scheduleFunction(append),
            read: scheduler.scheduleFunction((vaultId: string, after: number) => store.read(vaultId, after)),
          });
        });
        const words = ['a', 'b', 'c'];
        const work = sessions.flatMap((session, index) =>
          words.map((word) =>
            // Three calls at once on each session, too.
            session.append(() => ({ ...change('created', { taskId: `t${index}${word}${'0'.repeat(18)}` }) })),
          ),
        );
        const outcomes = await scheduler.waitFor(Promise.all(work));
        await scheduler.waitFor(Promise.all(sessions.map((session) => session.pull())));

        expect(outcomes.every(({ appended }) => appended)).toBe(true);
        const stored = store.rows.map(({ entry }) => entry as LedgerEntry);
        expect(stored.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7]);
        expect(new Set(stored.map(({ attempt }) => attempt)).size).toBe(7);
        expect(new Set(outcomes.map((outcome) => outcome.appended && outcome.entry.n)).size).toBe(6);
        const [cloud, laptop] = sessions.map(({ state }) => state);
        const last = stored.at(-1);
        expect(cloud?.head).toEqual({ n: 7, hash: last && entryHash(last) });
        expect(laptop).toEqual(cloud);
        expect(cloud?.tasks.size).toBe(6);
        expect(cloud?.refusals).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

type Fault = 'none' | 'before' | 'after';

/** An `append` that throws, by plan: before or after it wrote. */
function lossy(store: LedgerStore, plan: readonly Fault[]): LedgerStore['append'] {
  let calls = 0;
  return async (entry) => {
    const fault = plan[calls++] ?? 'none';
    if (fault === 'before') throw new Error('no service');
    const outcome = await store.append(entry);
    if (fault === 'after') throw new Error('no reply');
    return outcome;
  };
}

/** Never two faults in a row: a store that fails three times for one append stays away. */
function sparse(plan: readonly Fault[]): Fault[] {
  return plan.flatMap((fault) => [fault, 'none' as const, 'none' as const]);
}
