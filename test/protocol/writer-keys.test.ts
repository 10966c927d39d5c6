import { describe, expect, it } from 'vitest';
import type { KeysBody } from '#protocol/ledger-body.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { OTHER_TASK, TASK } from './samples.ts';
import { change, refusalOf } from './scene.ts';

type Row = KeysBody['writers'][number];

const [first, second, third] = [newSigningKey(), newSigningKey(), newSigningKey()];
const ignored = (taskId: string) => change('created', { taskId, state: 'ignored', reason: 'a newsletter' });

/** These keys with another row for one writer. */
function withRow(keys: KeysBody, row: Partial<Row>, writer = 'cloud'): KeysBody {
  const writers = keys.writers.map((known) => (known.writer === writer ? { ...known, ...row } : known));
  return { ...keys, writers };
}

/** A ledger in which the cloud has brought the key `first` beside the one it began with. */
function renewing(): { readonly factory: LedgerFactory; readonly keys: KeysBody; readonly later: Writer } {
  const factory = createLedgerFactory();
  const [publicKey, oldKey] = [first.publicKey, factory.cloud.signingKey.publicKey];
  const keys = withRow(factory.keys, { publicKey, oldKey });
  factory.append({ body: keys }, factory.cloud);
  return { factory, keys, later: { ...factory.cloud, signingKey: first } };
}

describe('a cloud zone that renews its own key', () => {
  it('signs with either key while both are in force', () => {
    const { factory, later } = renewing();
    factory.append(ignored(TASK), factory.cloud);
    factory.append(ignored(OTHER_TASK), later);
    const state = factory.replay();
    expect(state.refusals).toEqual([]);
    expect([...state.tasks.keys()]).toEqual([TASK, OTHER_TASK]);
  });

  it('signs with the new one alone once the old one is dropped; what it signed before still verifies', async () => {
    const { factory, keys, later } = renewing();
    factory.append(ignored(TASK), factory.cloud);
    factory.append({ body: withRow(keys, { oldKey: undefined }) }, later);
    factory.append(ignored(OTHER_TASK), later);
    expect(factory.replay().tasks.size).toBe(2);
    const reader = factory.session(factory.local, factory.store());
    await reader.pull();
    expect(reader.state.tasks.size).toBe(2);
    factory.append(ignored('t0000000000000000000a'), factory.cloud);
    expect(() => factory.replay()).toThrow('entry 6: was altered: its signature is not by cloud');
    const late = factory.session(factory.local, factory.store());
    await expect(late.pull()).rejects.toThrow('entry 6: was altered: its signature is not by cloud');
  });

  it('goes on from a rotation that stopped: a third key beside the one that is still used', () => {
    const { factory, keys } = renewing();
    const again = withRow(keys, { publicKey: second.publicKey });
    expect(refusalOf(factory, { body: again }, factory.cloud)).toBeUndefined();
    expect(factory.replay().keys).toEqual(again);
  });

  const local = 'laptop';
  it.each<[string, (keys: KeysBody, factory: LedgerFactory) => KeysBody, string]>([
    [
      'a key for the person who approves',
      (keys) => ({ ...keys, approvers: [{ approver: 'owner', publicKey: second.publicKey }] }),
      'changes more than its own key',
    ],
    [
      'a second person who approves',
      (keys) => ({
        ...keys,
        approvers: [...keys.approvers, { approver: 'me', publicKey: second.publicKey }],
      }),
      'changes more than its own key',
    ],
    [
      "a machine's key",
      (keys) => withRow(keys, { publicKey: second.publicKey }, local),
      'changes more than its own key',
    ],
    [
      'an old key of a machine',
      (keys) => withRow(keys, { oldKey: second.publicKey }, local),
      'changes more than its own key',
    ],
    [
      'a machine more',
      (keys) => ({
        ...keys,
        writers: [...keys.writers, { writer: 'mine', zone: 'local', publicKey: second.publicKey }],
      }),
      'changes more than its own key',
    ],
    [
      'a machine less',
      (keys) => ({ ...keys, writers: keys.writers.filter(({ writer }) => writer !== local) }),
      'changes more than its own key',
    ],
    ['another key epoch', (keys) => ({ ...keys, keyEpoch: 2 }), 'changes more than its own key'],
    ['itself as a machine of the owner', (keys) => withRow(keys, { zone: 'local' }), 'changes its zone'],
    [
      'itself twice',
      (keys) => ({
        ...keys,
        writers: [...keys.writers, { writer: 'cloud', zone: 'local', publicKey: second.publicKey }],
      }),
      'changes its zone or its place',
    ],
    [
      'no key of its own at all',
      (keys) => ({ ...keys, writers: keys.writers.filter(({ writer }) => writer !== 'cloud') }),
      'changes its zone or its place',
    ],
    [
      'two new keys and none that it had',
      (keys) => withRow(keys, { publicKey: second.publicKey, oldKey: third.publicKey }),
      'leaves none of its keys in force',
    ],
    [
      "a machine's key as its own",
      (keys, { root }) => withRow(keys, { publicKey: root }),
      "takes another one's key",
    ],
    [
      "the approver's key as its own",
      (keys, { approver }) => withRow(keys, { publicKey: approver.key.publicKey }),
      "takes another one's key",
    ],
  ])('cannot write %s: an incident, without effect', (_name, rewrite, why) => {
    const { factory, keys } = renewing();
    const refusal = refusalOf(factory, { body: rewrite(keys, factory) }, factory.cloud);
    expect(refusal).toMatchObject({ severity: 'incident', code: 'zone', writer: 'cloud' });
    expect(refusal?.message).toContain(why);
    expect(factory.replay().keys).toEqual(keys);
  });
});
