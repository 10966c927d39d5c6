import { describe, expect, it } from 'vitest';
import { canonicalJson, sha256Hex } from '#protocol/canonical.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { LedgerBody } from '#protocol/ledger-body.ts';
import {
  checkPlace,
  checkSignature,
  entryHash,
  GENESIS_PREV,
  LedgerEntry,
  makeEntry,
  openBody,
} from '#protocol/ledger-entry.ts';
import { newVaultKey, seal } from '#protocol/seal.ts';
import { newSigningKey, signText } from '#protocol/signing.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import { SHA } from './samples.ts';

const factory = createLedgerFactory();
const { local, cloud } = factory;
const stamp = { at: '2026-11-21T08:00:00.000Z', attempt: 'a-1' };
const start = { n: 0, hash: GENESIS_PREV };
const body: LedgerBody = { kind: 'override', what: { of: 'repair', code: 'x' }, reason: 'because' };

/** An entry that its writer signed, and that says other things than `makeEntry` would. */
function forged(changes: Partial<LedgerEntry>): LedgerEntry {
  const { sig: _sig, ...honest } = makeEntry(start, { body }, local, stamp);
  const unsigned = { ...honest, ...changes };
  return { ...unsigned, sig: signText(canonicalJson(unsigned), local.signingKey) };
}

function sealed(value: unknown, kind = 'override'): string {
  const key = local.keyring[0]?.shared ?? '';
  return seal(key, Buffer.from(JSON.stringify(value)), `vault-1/shared/${kind}/a-1`).toString('base64');
}

describe('an entry', () => {
  it('is of the form that is stored, in place, signed, and opens to what was written', () => {
    const entry = makeEntry(start, { body, taskId: 't3f9c1a20000000000000', epoch: 2 }, local, stamp);
    expect(LedgerEntry.parse(JSON.parse(JSON.stringify(entry)))).toEqual(entry);
    expect(entry).toMatchObject({
      n: 1,
      prev: GENESIS_PREV,
      writer: 'laptop',
      kind: 'override',
      epoch: 2,
      ring: 'shared',
    });
    checkPlace(start, entry);
    checkSignature(entry, [local.signingKey.publicKey]);
    expect(openBody(entry, cloud.keyring)).toEqual(body);
  });

  it('says nothing of its body in the open', () => {
    const entry = makeEntry(start, { body }, local, stamp);
    expect(JSON.stringify(entry)).not.toContain('because');
    expect(Buffer.from(entry.body, 'base64').includes('because')).toBe(false);
  });

  it('points at the entry before it by the hash of all of it, signature included', () => {
    const entry = makeEntry(start, { body }, local, stamp);
    expect(entryHash(entry)).toBe(sha256Hex(canonicalJson(entry)));
    expect(makeEntry({ n: 1, hash: entryHash(entry) }, { body }, local, stamp)).toMatchObject({
      n: 2,
      prev: entryHash(entry),
    });
  });

  it('of the private ring is closed to the cloud, which can neither read nor write it', () => {
    const entry = makeEntry(start, { body, ring: 'private' }, local, stamp);
    expect(openBody(entry, local.keyring)).toEqual(body);
    expect(openBody(entry, cloud.keyring)).toBeUndefined();
    expect(() => makeEntry(start, { body, ring: 'private' }, cloud, stamp)).toThrow(
      'cloud holds no private key',
    );
  });

  it('is written with the key epoch in force and read with its own', () => {
    const from = { n: 9, hash: 'a'.repeat(64) };
    const rotated = { ...local, keyring: [...local.keyring, { keyEpoch: 2, shared: newVaultKey(), from }] };
    const [old, fresh] = [
      makeEntry(start, { body }, local, stamp),
      makeEntry(start, { body }, rotated, stamp),
    ];
    expect([old.keyEpoch, fresh.keyEpoch]).toEqual([1, 2]);
    expect(makeEntry(start, { body }, rotated, { ...stamp, keyEpoch: 1 }).keyEpoch).toBe(1);
    expect([openBody(old, rotated.keyring), openBody(fresh, rotated.keyring)]).toEqual([body, body]);
    expect(openBody(fresh, local.keyring)).toBeUndefined();
  });

  it('cannot be made of a body that is none', () => {
    const broken = { ...body, what: 5 } as unknown as LedgerBody;
    expect(() => makeEntry(start, { body: broken }, local, stamp)).toThrow();
  });

  it.each([
    ['a hole before it', { n: 3 }, 'entry 1: is missing: entry 3 stands in its place'],
    ['another entry before it', { prev: SHA }, 'entry 1: does not follow the entry before it'],
  ])('with %s is out of place', (_name, changes, message) => {
    expect(() => checkPlace(start, forged(changes))).toThrow(LedgerIntegrityError);
    expect(() => checkPlace(start, forged(changes))).toThrow(message);
  });

  it('signed by another, or by nobody known, is refused', () => {
    const entry = makeEntry(start, { body }, local, stamp);
    expect(() => checkSignature(entry, [newSigningKey().publicKey])).toThrow(
      'its signature is not by laptop',
    );
    expect(() => checkSignature(entry, [])).toThrow('has no key in this ledger');
  });

  it.each([
    [
      'another kind outside than inside',
      { kind: 'claim', body: sealed(body, 'claim') },
      'says claim outside and override inside',
    ],
    ['a body of another attempt', { attempt: 'a-2' }, 'was altered or belongs elsewhere'],
    ['a body of another vault', { vaultId: 'vault-2' }, 'was altered or belongs elsewhere'],
    ['a body of another ring', { ring: 'private' }, 'sealed with another key'],
    [
      'a body of an unknown form',
      { body: sealed({ kind: 'override', what: { of: 'repair', code: 'x' }, reason: 'y', extra: 1 }) },
      'does not have the form',
    ],
    [
      'a body that is no JSON',
      {
        body: seal(local.keyring[0]?.shared ?? '', Buffer.from('{'), 'vault-1/shared/override/a-1').toString(
          'base64',
        ),
      },
      'cannot be read',
    ],
    ['a body that is nothing', { body: '' }, 'not a sealed text'],
  ] as const)('with %s cannot be read, though its writer signed it', (_name, changes, message) => {
    const entry = forged(changes);
    checkSignature(entry, [local.signingKey.publicKey]);
    expect(() => openBody(entry, local.keyring)).toThrow(LedgerIntegrityError);
    expect(() => openBody(entry, local.keyring)).toThrow(message);
  });

  it.each([
    ['an unknown member', { extra: 1 }],
    ['another version', { v: 2 }],
    ['no number', { n: 0 }],
    ['a number that is a text', { n: '1' }],
    ['a short hash', { prev: 'abc' }],
    ['a kind that nobody knows', { kind: 'payment' }],
    ['an instant without milliseconds', { at: '2026-11-21T08:00:00Z' }],
    ['an attempt that is no ASCII', { attempt: '\ud83d' }],
    ['no signature', { sig: undefined }],
  ])('with %s has not the form of one', (_name, changes) => {
    expect(LedgerEntry.safeParse({ ...makeEntry(start, { body }, local, stamp), ...changes }).success).toBe(
      false,
    );
  });
});

describe('the body of an entry', () => {
  const content = { sha256: SHA, sizeBytes: 1, text: 'x' };
  it.each([
    [
      'a note outside its folder',
      {
        kind: 'task',
        changes: [
          { taskId: 't3f9c1a20000000000000', epoch: 0, event: 'drafted', note: { name: '../x.md', content } },
        ],
      },
    ],
    ['a file outside the vault', { kind: 'files', changes: [{ op: 'put', path: '../x', content }] }],
    ['a file without contents', { kind: 'files', changes: [{ op: 'put', path: 'x' }] }],
    ['a delete of whatever stands there', { kind: 'files', changes: [{ op: 'delete', path: 'x' }] }],
    ['no change', { kind: 'task', changes: [] }],
    [
      'two contents',
      { kind: 'files', changes: [{ op: 'put', path: 'x', content: { ...content, base64: 'eA==' } }] },
    ],
    [
      'an event that nobody knows',
      { kind: 'task', changes: [{ taskId: 't3f9c1a20000000000000', epoch: 0, event: 'sent' }] },
    ],
    [
      'an epoch below zero',
      { kind: 'task', changes: [{ taskId: 't3f9c1a20000000000000', epoch: -1, event: 'drafted' }] },
    ],
    ['nobody who may sign', { kind: 'keys', keyEpoch: 1, writers: [], approvers: [] }],
  ])('cannot hold %s', (_name, value) => {
    expect(LedgerBody.safeParse(value).success).toBe(false);
  });
});
