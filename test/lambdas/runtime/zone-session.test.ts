import { describe, expect, it } from 'vitest';
import { createZoneSource, StaleKeysError } from '#lambdas/runtime/zone-session.ts';
import type { Zone } from '#lambdas/runtime/zone-session.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { makeEntry } from '#protocol/ledger-entry.ts';
import type { LedgerEntry, Writer } from '#protocol/ledger-entry.ts';
import { currentKeys, newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';

const CHANGE = { taskId: `t${'a'.repeat(20)}`, epoch: 0, event: 'created', state: 'ignored' } as const;
const ENTRY = { body: { kind: 'task' as const, changes: [CHANGE] } };

function secretOf(factory: LedgerFactory, writer: Writer = factory.cloud): string {
  const { vaultId, signingKey: signing, keyring } = writer;
  return JSON.stringify({ vaultId, writer: 'cloud', signing, keyring, root: factory.root });
}

function zone(factory: LedgerFactory, values: readonly string[]) {
  const store = factory.store();
  let reads = 0;
  const source = createZoneSource(
    { read: async () => values[Math.min(reads++, values.length - 1)] ?? '' },
    {
      ledger: {
        append: (entry) => store.append(entry),
        read: (vaultId, after) => store.read(vaultId, after),
      },
      clock: factory.clock,
      ids: createCountingIds('zone'),
    },
  );
  return { source, store, secretReads: () => reads };
}

describe('the zone session', () => {
  it('is kept while all goes well, and the secret with it', async () => {
    const { source, secretReads } = zone(createLedgerFactory(), [secretOf(createLedgerFactory())]);
    const seen = new Set<unknown>();
    for (let i = 0; i < 3; i++) await source.use(async ({ session }) => void seen.add(session));
    expect(seen.size).toBe(1);
    expect(secretReads()).toBe(1);
  });

  it('is dropped after any error', async () => {
    const factory = createLedgerFactory();
    const { source, secretReads } = zone(factory, [secretOf(factory)]);
    const seen = new Set<unknown>();
    await source.use(async ({ session }) => void seen.add(session));
    await expect(source.use(() => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    await source.use(async ({ session }) => void seen.add(session));
    expect(seen.size).toBe(2);
    expect(secretReads()).toBe(1);
  });

  it('reads the secret again, once, when the keys are not those in force, and repeats the work', async () => {
    const factory = createLedgerFactory();
    const retired: Writer = { ...factory.cloud, signingKey: newSigningKey() };
    const { source, store, secretReads } = zone(factory, [secretOf(factory, retired), secretOf(factory)]);
    await source.use(async ({ session }) => {
      await session.pull();
      await session.append(() => ENTRY);
    });
    expect(store.rows).toHaveLength(2);
    expect(secretReads()).toBe(2);
  });

  it('fails closed with keys that stay wrong: nothing is written, the secret is not asked for over and over', async () => {
    const factory = createLedgerFactory();
    const retired: Writer = { ...factory.cloud, signingKey: newSigningKey() };
    const { source, store, secretReads } = zone(factory, [secretOf(factory, retired)]);
    let tries = 0;
    const append = source.use(async ({ session }) => {
      tries++;
      await session.pull();
      await session.append(() => ENTRY);
    });
    await expect(append).rejects.toThrow(StaleKeysError);
    expect(store.rows).toHaveLength(1);
    expect(secretReads()).toBe(2);
    expect(tries).toBe(1);
  });

  it('reads it once more when the keys went on meanwhile, but not for ever', async () => {
    const factory = createLedgerFactory();
    const retired = (): string => secretOf(factory, { ...factory.cloud, signingKey: newSigningKey() });
    const note = ({ session }: Zone): Promise<unknown> =>
      session.pull().then(() => session.append(() => ENTRY));
    // After a compromise the keys change twice: new ones come into force, then the old signing key goes.
    const { source, store } = zone(factory, [retired(), retired(), secretOf(factory)]);
    await source.use(note);
    expect(store.rows).toHaveLength(2);
    const endless = zone(factory, Array.from({ length: 10 }, retired));
    await expect(endless.source.use(note)).rejects.toThrow(StaleKeysError);
    expect(endless.secretReads()).toBeLessThan(6);
  });

  it('does not act on half a ledger when it lacks the key of a later epoch', async () => {
    const factory = createLedgerFactory();
    factory.append({ body: { ...factory.keys, keyEpoch: 2 } });
    const { source } = zone(factory, [secretOf(factory)]);
    await expect(source.use(({ session }) => session.pull())).rejects.toThrow(StaleKeysError);
  });

  it('repeats work in whose middle new keys came into force: what it stored is sealed with the old ones', async () => {
    const factory = createLedgerFactory();
    const next = { keyEpoch: 2, shared: newVaultKey() };
    const both = { ...factory.cloud, keyring: [...factory.cloud.keyring, next] };
    const { source, store } = zone(factory, [secretOf(factory, both)]);
    const storedWith: number[] = [];
    await source.use(async ({ session, keyring }) => {
      await session.pull();
      storedWith.push(currentKeys(keyring).keyEpoch);
      if (storedWith.length === 1) {
        await store.append(factory.append({ body: { ...factory.keys, keyEpoch: 2 } }));
      }
      await session.append(() => ENTRY);
    });
    expect(storedWith).toEqual([1, 2]);
    expect(store.rows.map(({ entry }) => (entry as LedgerEntry).keyEpoch)).toEqual([1, 1, 2]);
  });

  it('reads over what is private to the owner', async () => {
    const factory = createLedgerFactory();
    factory.append({
      body: { kind: 'files', changes: [{ op: 'put', path: 'Diary.md', content: content('x') }] },
      ring: 'private',
    });
    const { source } = zone(factory, [secretOf(factory)]);
    await source.use(({ session }) => session.pull());
    expect(await source.use(async ({ session }) => session.state.head.n)).toBe(2);
  });

  it('stops at an entry that was altered', async () => {
    const factory = createLedgerFactory();
    const { source, store } = zone(factory, [secretOf(factory)]);
    const entry = makeEntry(factory.head, ENTRY, factory.cloud, { at: factory.clock.now(), attempt: 'x' });
    store.rows.push({ vaultId: factory.vaultId, n: 2, entry: { ...entry, at: '2020-01-01T00:00:00.000Z' } });
    await expect(source.use(({ session }) => session.pull())).rejects.toThrow(LedgerIntegrityError);
  });

  it.each(['', '{}', 'not json', '{"vaultId":"secret-value-in-here"}'])(
    'says what is wrong with the secret %j, never its value',
    async (text) => {
      const { source } = zone(createLedgerFactory(), [text]);
      const error = await source.use(async () => undefined).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StaleKeysError);
      expect(String(error)).toContain('employee init');
      expect(String(error)).not.toContain('secret-value-in-here');
    },
  );

  it('a denied secret fails the work and is asked for again by the next', async () => {
    const factory = createLedgerFactory();
    let denied = true;
    const source = createZoneSource(
      { read: () => (denied ? Promise.reject(new Error('denied')) : Promise.resolve(secretOf(factory))) },
      { ledger: factory.store(), clock: factory.clock, ids: createCountingIds('zone') },
    );
    await expect(source.use(async () => 1)).rejects.toThrow('denied');
    denied = false;
    expect(await source.use(async () => 1)).toBe(1);
  });
});

function content(text: string) {
  return { sha256: 'a'.repeat(64), sizeBytes: text.length, text };
}
