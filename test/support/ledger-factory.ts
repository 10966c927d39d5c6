import { type LedgerEntry, makeEntry, entryHash, GENESIS_PREV } from '#protocol/ledger-entry.ts';
import type { EntryDraft, LedgerHead, Writer } from '#protocol/ledger-entry.ts';
import type { KeysBody } from '#protocol/ledger-body.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { LedgerStore } from '#protocol/ports.ts';
import { newVaultKey } from '#protocol/seal.ts';
import type { Keyring } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';
import type { PublicKey, SigningKey } from '#protocol/signing.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import { createFixedClock } from '#test/support/memory/fixed-clock.ts';
import type { FixedClock } from '#test/support/memory/fixed-clock.ts';
import { createMemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';

/** A vault's keys and its ledger in memory, for tests that need signed entries without any service. */
export interface LedgerFactory {
  readonly vaultId: string;
  /** The writer of the cloud zone: holds the shared key only. */
  readonly cloud: Writer;
  /** The owner's machine `laptop`, whose key is the root. */
  readonly local: Writer;
  /** A second machine of the owner, `desktop`. */
  readonly other: Writer;
  readonly root: PublicKey;
  readonly approver: { readonly name: string; readonly key: SigningKey };
  /** Each entry of `append` is one second later than the one before. */
  readonly clock: FixedClock;
  /** The body of the first entry. */
  readonly keys: KeysBody;
  /** All entries; the first is the one of the keys. */
  readonly entries: LedgerEntry[];
  readonly head: LedgerHead;
  /** Makes, signs and keeps the next entry. Nothing is checked: a test may write what no honest writer would. */
  append(draft: EntryDraft, writer?: Writer): LedgerEntry;
  /** A reader that has checked and applied all entries, with the keys of `writer`. */
  replay(writer?: Writer, entries?: readonly unknown[]): VaultState;
  /** A session of a writer on a store, which begins empty unless it was given entries. */
  session(writer: Writer, store: LedgerStore): LedgerSession;
  /** A store that holds the entries so far. */
  store(pageSize?: number): ReturnType<typeof createMemoryLedgerStore>;
}

/**
 * Makes keys, three writers, an approver, and a ledger that holds its first entry.
 *
 * @param vaultId @default 'vault-1'
 */
export function createLedgerFactory(vaultId = 'vault-1'): LedgerFactory {
  const [shared, own] = [newVaultKey(), newVaultKey()];
  const both: Keyring = [{ keyEpoch: 1, shared, private: own }];
  const cloud: Writer = {
    vaultId,
    writer: 'cloud',
    signingKey: newSigningKey(),
    keyring: [{ keyEpoch: 1, shared }],
  };
  const local: Writer = { vaultId, writer: 'laptop', signingKey: newSigningKey(), keyring: both };
  const other: Writer = { vaultId, writer: 'desktop', signingKey: newSigningKey(), keyring: both };
  const approver = { name: 'owner', key: newSigningKey() };
  const root = local.signingKey.publicKey;
  const clock = createFixedClock();
  const ids = createCountingIds('attempt');
  const entries: LedgerEntry[] = [];
  const keys: KeysBody = {
    kind: 'keys',
    keyEpoch: 1,
    writers: [
      { writer: 'cloud', zone: 'cloud', publicKey: cloud.signingKey.publicKey },
      { writer: 'laptop', zone: 'local', publicKey: root },
      { writer: 'desktop', zone: 'local', publicKey: other.signingKey.publicKey },
    ],
    approvers: [{ approver: approver.name, publicKey: approver.key.publicKey }],
  };

  function headOf(): LedgerHead {
    const last = entries.at(-1);
    return last ? { n: last.n, hash: entryHash(last) } : { n: 0, hash: GENESIS_PREV };
  }

  function append(draft: EntryDraft, writer: Writer = local): LedgerEntry {
    const entry = makeEntry(headOf(), draft, writer, { at: clock.now(), attempt: ids.next() });
    clock.advance(1000);
    entries.push(entry);
    return entry;
  }

  function store(pageSize?: number): ReturnType<typeof createMemoryLedgerStore> {
    const made = createMemoryLedgerStore(pageSize);
    for (const entry of entries) made.rows.push({ vaultId, n: entry.n, entry: structuredClone(entry) });
    return made;
  }

  function session(writer: Writer, ledger: LedgerStore): LedgerSession {
    return new LedgerSession(writer, root, { ledger, clock, ids });
  }

  function replay(writer: Writer = local, stored: readonly unknown[] = entries): VaultState {
    const reader = session(writer, createMemoryLedgerStore());
    for (const entry of stored) reader.admit(entry);
    return reader.state;
  }

  append({ body: keys });
  return {
    vaultId,
    cloud,
    local,
    other,
    root,
    approver,
    clock,
    keys,
    entries,
    get head() {
      return headOf();
    },
    append,
    replay,
    session,
    store,
  };
}
