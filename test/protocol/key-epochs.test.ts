import { describe, expect, it } from 'vitest';
import { unwrapKeys, wrapKeys } from '#protocol/key-epoch.ts';
import type { KeysBody } from '#protocol/ledger-body.ts';
import type { EntryDraft, Writer } from '#protocol/ledger-entry.ts';
import { newVaultKey } from '#protocol/seal.ts';
import type { VaultKeys } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { TASK } from './samples.ts';
import { approvalEntry, intentEntry, vaultAt } from './scene.ts';

const CHANGE = { epoch: 0, event: 'created', state: 'ignored' } as const;

function vaultKeys(keyEpoch: number): VaultKeys {
  return { keyEpoch, shared: newVaultKey(), private: newVaultKey() };
}

/** A writer that holds more keys than are in force, and may seal with any of them. */
function holder(writer: Writer, more: readonly VaultKeys[], isCloud = false): Writer {
  const own = more.map(({ private: key, ...keys }) => (isCloud || !key ? keys : { ...keys, private: key }));
  return { ...writer, keyring: [...structuredClone(writer.keyring), ...structuredClone(own)] };
}

/** Lets a writer seal with one epoch, whatever is in force. */
function sealing(writer: Writer, keyEpoch: number): Writer {
  const [keys] = writer.keyring.filter((known) => known.keyEpoch === keyEpoch);
  if (!keys) throw new Error(`no keys of epoch ${keyEpoch}`);
  return { ...writer, keyring: [keys] };
}

function task(id: string): EntryDraft {
  return { body: { kind: 'task', changes: [{ ...CHANGE, taskId: `t${id.padStart(20, '0')}` }] } };
}

function keysOf(factory: LedgerFactory, keyEpoch: number, change: Partial<KeysBody> = {}): EntryDraft {
  return { body: { ...factory.keys, keyEpoch, ...change } };
}

describe('a key epoch', () => {
  const next = vaultKeys(2);

  it.each([
    ['older than the one in force', 2, 1],
    ['newer than the one in force', 1, 2],
  ])('that is %s: what it seals is refused by every reader', (_name, inForce, used) => {
    const factory = createLedgerFactory();
    const [local, cloud] = [holder(factory.local, [next]), holder(factory.cloud, [next], true)];
    if (inForce === 2) factory.append(keysOf(factory, 2));
    const { n } = factory.append(task('a'), sealing(cloud, used));
    for (const reader of [local, cloud]) {
      const { tasks, refusals, head } = factory.replay(holder(reader, []));
      expect(tasks.size).toBe(0);
      expect(refusals).toMatchObject([{ n, writer: 'cloud', severity: 'incident', code: 'old-keys' }]);
      expect(head.n).toBe(n);
    }
  });

  it('that is in force opens and takes effect, and what was before it stays readable', () => {
    const factory = createLedgerFactory();
    const local = holder(factory.local, [next]);
    factory.append(task('a'));
    const { n } = factory.append(keysOf(factory, 2));
    factory.append(task('b'), sealing(local, 2));
    const state = factory.replay(local);
    expect(state.tasks.size).toBe(2);
    expect(state.refusals).toEqual([]);
    expect(state.keys?.keyEpoch).toBe(2);
    expect(state.epochStart).toMatchObject({ n });
  });

  it.each([
    ['falls', 1],
    ['skips one', 4],
  ])('does not come into force where it %s', (_name, to) => {
    const factory = createLedgerFactory();
    const local = holder(factory.local, [next]);
    factory.append(keysOf(factory, 2));
    const { n } = factory.append(keysOf(factory, to), sealing(local, 2));
    const state = factory.replay(local);
    expect(state.refusals).toMatchObject([{ n, code: 'old-keys' }]);
    expect(state.keys?.keyEpoch).toBe(2);
  });

  it('is begun by the machine that began the vault, and by no other', () => {
    const factory = createLedgerFactory();
    const { n } = factory.append(keysOf(factory, 2), factory.other);
    const state = factory.replay();
    expect(state.refusals).toMatchObject([{ n, writer: 'desktop', severity: 'incident', code: 'old-keys' }]);
    expect(state.keys?.keyEpoch).toBe(1);
  });

  it("is none of the cloud zone's to begin, and what it carries is not taken", () => {
    const factory = createLedgerFactory();
    const [first] = factory.local.keyring;
    if (!first) throw new Error('there are keys');
    const wrapped = wrapKeys(next, first, factory.vaultId);
    factory.append(keysOf(factory, 2, { wrapped }), factory.cloud);
    const reader = holder(factory.local, []);
    const state = factory.replay(reader);
    expect(state.refusals).toMatchObject([{ code: 'zone' }]);
    expect(reader.keyring).toHaveLength(1);
  });

  it('comes to whoever holds the one before, in the entry that begins it', () => {
    const factory = createLedgerFactory();
    const [first] = factory.local.keyring;
    if (!first) throw new Error('there are keys');
    const { n } = factory.append(keysOf(factory, 2, { wrapped: wrapKeys(next, first, factory.vaultId) }));
    factory.append(task('a'), sealing(holder(factory.local, [next]), 2));
    const [local, cloud] = [holder(factory.local, []), holder(factory.cloud, [])];
    for (const reader of [local, cloud]) expect(factory.replay(reader).tasks.size).toBe(1);
    expect(local.keyring[1]).toMatchObject({ ...next, from: { n } });
    expect(cloud.keyring[1]).toMatchObject({ keyEpoch: 2, shared: next.shared });
    expect(cloud.keyring[1]).not.toHaveProperty('private');
    // Others who carry the keys in force on do not hand them out again.
    expect(factory.replay(holder(factory.local, [])).keys).not.toHaveProperty('wrapped');
  });

  it('does not open with other keys, in another vault or for another epoch', () => {
    const first = vaultKeys(1);
    const body: KeysBody = {
      kind: 'keys',
      keyEpoch: 2,
      writers: [],
      approvers: [],
      wrapped: wrapKeys(next, first, 'v'),
    };
    expect(unwrapKeys(body, [first], 'v')).toEqual(next);
    expect(unwrapKeys(body, [next], 'v')).toBeUndefined();
    expect(() => unwrapKeys(body, [vaultKeys(1)], 'v')).toThrow();
    expect(() => unwrapKeys(body, [first], 'w')).toThrow();
    expect(() => unwrapKeys({ ...body, keyEpoch: 3 }, [{ ...first, keyEpoch: 2 }], 'v')).toThrow();
  });

  it('is refused at once by a reader for whom another entry began it, and by one whose ledger ends before', async () => {
    const factory = createLedgerFactory();
    factory.append(task('a'));
    const before = factory.store();
    const { n } = factory.append(keysOf(factory, 2));
    const from = { n, hash: factory.head.hash };
    const knows = (hash: string): Writer => holder(factory.local, [{ ...next, from: { n, hash } }]);
    const whole = factory.session(knows(from.hash), factory.store());
    expect(await whole.pull()).toBe(n);
    const old = factory.session(knows(from.hash), before);
    await expect(old.pull()).rejects.toThrow('this ledger is an old one');
    await expect(old.append(() => task('b'))).rejects.toThrow('this ledger is an old one');
    expect(old.state.head.n).toBe(0);
    const other = factory.session(knows('b'.repeat(64)), factory.store());
    await expect(other.pull()).rejects.toThrow(`ledger entry ${n}`);
  });

  it('is refused before anything is taken when an attacker made the old head longer', async () => {
    const factory = createLedgerFactory();
    factory.append(task('a'));
    const rows = factory.entries.length;
    const { n } = factory.append(keysOf(factory, 2));
    const from = { n, hash: factory.head.hash };
    factory.entries.length = rows;
    for (let i = 0; i < 5; i++) factory.append(task(`c${i}`), factory.cloud);
    expect(factory.head.n).toBeGreaterThan(n);
    const session = factory.session(holder(factory.local, [{ ...next, from }]), factory.store());
    await expect(session.pull()).rejects.toThrow('this ledger is an old one');
    expect([session.state.head.n, session.state.tasks.size]).toEqual([0, 0]);
  });
});

describe('entries in any order of epochs', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed + 1))(
    'take effect just where their epoch is in force, for every reader alike (seed %i)',
    (seed) => {
      const random = seededRandom(seed);
      const pick = (below: number): number => Math.floor(random() * below);
      const factory = createLedgerFactory();
      const more = [2, 3, 4, 5].map(vaultKeys);
      const [local, cloud] = [holder(factory.local, more), holder(factory.cloud, more, true)];
      const refused: number[] = [];
      let inForce = 1;
      let tasks = 0;
      for (let i = 0; i < 25; i++) {
        const used = random() < 0.7 ? inForce : 1 + pick(5);
        const isLocal = random() < 0.5;
        const writer = sealing(isLocal ? local : cloud, used);
        if (random() < 0.3) {
          const to = Math.max(1, inForce + pick(4) - 1);
          const { n } = factory.append(keysOf(factory, to), writer);
          const isGood = used === inForce && (to === inForce || (isLocal && to === inForce + 1));
          if (isGood && to <= 5) inForce = to;
          if (!isGood) refused.push(n);
          if (inForce > 4) break;
        } else {
          const { n } = factory.append(task(`${i}`), writer);
          if (used === inForce) tasks += 1;
          else refused.push(n);
        }
      }
      const states: VaultState[] = [holder(local, []), holder(cloud, [])].map((reader) =>
        factory.replay(reader),
      );
      for (const state of states) {
        expect(state.refusals.map(({ n }) => n)).toEqual(refused);
        expect(state.keys?.keyEpoch).toBe(inForce);
        expect(state.tasks.size).toBe(tasks);
      }
    },
  );
});

describe('an approver whose key is renewed', () => {
  const renewed = (factory: LedgerFactory): EntryDraft => {
    const approvers = [{ approver: 'owner', publicKey: newSigningKey().publicKey }];
    return { body: { ...factory.keys, approvers } };
  };

  it('has to approve again what did not run, and no other reader runs it', () => {
    const factory = vaultAt('pending_approval');
    factory.append(approvalEntry(factory));
    expect(factory.replay().tasks.get(TASK)?.state).toBe('approved');
    factory.append(renewed(factory));
    const task = factory.replay().tasks.get(TASK);
    expect(task).toMatchObject({
      state: 'pending_approval',
      voided: expect.stringContaining('no longer in force') as string,
    });
    expect(task?.approval).toBeUndefined();
    const { n } = factory.append(intentEntry());
    expect(factory.replay().refusals).toMatchObject([{ n, code: 'approval-mismatch' }]);
  });

  it.each(['with the old key', 'of before once more'])('is not approved for %s', (which) => {
    const factory = vaultAt('pending_approval');
    const approval = approvalEntry(factory);
    if (which === 'of before once more') factory.append(approval);
    factory.append(renewed(factory));
    const { n } = factory.append(approval);
    expect(factory.replay().refusals).toMatchObject([{ n, severity: 'incident', code: 'forged-approval' }]);
  });

  it('leaves alone what other keys change', () => {
    const factory = vaultAt('pending_approval');
    factory.append(approvalEntry(factory));
    factory.append({ body: factory.keys });
    expect(factory.replay().tasks.get(TASK)?.state).toBe('approved');
  });
});
