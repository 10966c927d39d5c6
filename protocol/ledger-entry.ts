import { z } from 'zod';
import { canonicalJson, sha256Hex } from './canonical.ts';
import { LedgerIntegrityError } from './errors.ts';
import { ExactInstant, Sha256, TaskId, WriterName } from './ids.ts';
import { LedgerBody } from './ledger-body.ts';
import { currentKeys, open, Ring, seal, vaultKey } from './seal.ts';
import type { Keyring } from './seal.ts';
import { signText, verifyText, verifyTextApart } from './signing.ts';
import type { PublicKey, SigningKey } from './signing.ts';

const KINDS = LedgerBody.options.map((option) => option.shape.kind.value);

/** `prev` of the first entry. */
export const GENESIS_PREV = '0'.repeat(64);

/**
 * One entry of the ledger as it is stored. `prev` is the SHA-256 of the canonical JSON of the entry
 * before, signature included; `sig` the writer's Ed25519 signature over all other members; `body` the
 * sealed `LedgerBody`, base64. `attempt` names one append, so that its author knows its own success.
 */
export const LedgerEntry = z.strictObject({
  v: z.literal(1),
  vaultId: z
    .string()
    .min(1)
    .max(100)
    .refine((text) => text.isWellFormed(), 'half a character (a lone surrogate) is not allowed'),
  n: z.int().positive(),
  prev: Sha256,
  at: ExactInstant,
  writer: WriterName,
  attempt: z.string().regex(/^[\x21-\x7e]{1,100}$/, 'an attempt is 1 to 100 printable ASCII characters'),
  kind: z.enum(KINDS as [(typeof KINDS)[number], ...(typeof KINDS)[number][]]),
  taskId: TaskId.optional(),
  epoch: z.int().nonnegative().optional(),
  ring: Ring,
  keyEpoch: z.int().positive(),
  body: z.base64(),
  sig: z.base64().max(200),
});
export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** The end of a chain: the last entry's number and hash. Before the first entry, `n` is 0. */
export interface LedgerHead {
  readonly n: number;
  readonly hash: string;
}

/** What a writer wants to append; the session adds its place in the chain. */
export interface EntryDraft {
  readonly body: LedgerBody;
  readonly taskId?: string;
  readonly epoch?: number;
  /** @default 'shared' */
  readonly ring?: Ring;
}

/** Who writes, with which keys. */
export interface Writer {
  readonly vaultId: string;
  readonly writer: string;
  readonly signingKey: SigningKey;
  readonly keyring: Keyring;
}

/** SHA-256 of an entry's canonical JSON: the `prev` of the next one. */
export function entryHash(entry: LedgerEntry): string {
  return entryFacts(entry).hash;
}

/** What follows from an entry's canonical JSON, made once: the text that was signed, and the hash of all. */
export interface EntryFacts {
  readonly signed: string;
  readonly hash: string;
}

/**
 * An entry's canonical JSON (RFC 8785), made in a fraction of the time of the general way: its members are
 * known, and only two of them can hold a character that JSON escapes.
 */
export function entryFacts(entry: Omit<LedgerEntry, 'sig'> & { readonly sig?: string }): EntryFacts {
  const { at, attempt, body, epoch, keyEpoch, kind, n, prev, ring, sig, taskId, vaultId, writer } = entry;
  const before =
    `{"at":"${at}","attempt":${JSON.stringify(attempt)},"body":"${body}",` +
    (epoch === undefined ? '' : `"epoch":${epoch},`) +
    `"keyEpoch":${keyEpoch},"kind":"${kind}","n":${n},"prev":"${prev}","ring":"${ring}",`;
  const after =
    (taskId === undefined ? '' : `"taskId":"${taskId}",`) +
    `"v":1,"vaultId":${JSON.stringify(vaultId)},"writer":"${writer}"}`;
  return { signed: before + after, hash: sha256Hex(`${before}"sig":"${sig ?? ''}",${after}`) };
}

/** When and by which append an entry is made, and with the keys of which epoch. */
interface Stamp {
  readonly at: string;
  readonly attempt: string;
  /** @default the latest in force, as far as the keyring says */
  readonly keyEpoch?: number | undefined;
}

/**
 * Builds, seals and signs the entry that follows `head`.
 *
 * @throws {Error} when the writer has no key for the ring.
 */
export function makeEntry(head: LedgerHead, draft: EntryDraft, writer: Writer, stamp: Stamp): LedgerEntry {
  return makeOwnEntry(head, draft, writer, stamp).entry;
}

/** The same, with what every reader will make of it. */
export function makeOwnEntry(
  head: LedgerHead,
  draft: EntryDraft,
  writer: Writer,
  stamp: Stamp,
): { readonly entry: LedgerEntry; readonly body: LedgerBody; readonly hash: string } {
  const ring = draft.ring ?? 'shared';
  const { keyEpoch = currentKeys(writer.keyring).keyEpoch } = stamp;
  const key = vaultKey(writer.keyring, ring, keyEpoch);
  if (key === undefined) throw new Error(`${writer.writer} holds no ${ring} key of key epoch ${keyEpoch}`);
  const open = {
    v: 1 as const,
    vaultId: writer.vaultId,
    n: head.n + 1,
    prev: head.hash,
    at: stamp.at,
    writer: writer.writer,
    attempt: stamp.attempt,
    kind: draft.body.kind,
    ...(draft.taskId === undefined ? {} : { taskId: draft.taskId }),
    ...(draft.epoch === undefined ? {} : { epoch: draft.epoch }),
    ring,
    keyEpoch,
  };
  const plain = canonicalJson(LedgerBody.parse(draft.body));
  const unsigned = { ...open, body: seal(key, Buffer.from(plain), sealContext(open)).toString('base64') };
  const sig = signText(entryFacts(unsigned).signed, writer.signingKey);
  // An entry that no reader would take must not get into the ledger.
  const entry = LedgerEntry.parse({ ...unsigned, sig });
  return { entry, body: JSON.parse(plain) as LedgerBody, hash: entryHash(entry) };
}

/**
 * Checks that an entry follows `head`.
 *
 * @throws {LedgerIntegrityError} naming the entry and what is wrong.
 */
export function checkPlace(head: LedgerHead, entry: LedgerEntry): void {
  if (entry.n !== head.n + 1) {
    throw new LedgerIntegrityError(head.n + 1, `is missing: entry ${entry.n} stands in its place`);
  }
  if (entry.prev !== head.hash) {
    throw new LedgerIntegrityError(
      entry.n,
      'does not follow the entry before it: one of the two was altered',
    );
  }
}

/**
 * Checks that an entry was signed by its writer.
 *
 * @param keys those that its writer may sign with.
 * @throws {LedgerIntegrityError} naming the entry and what is wrong.
 */
export function checkSignature(entry: LedgerEntry, keys: readonly PublicKey[]): void {
  requireKey(entry, keys);
  const { signed } = entryFacts(entry);
  if (!keys.some((key) => verifyText(signed, entry.sig, key))) throw badSignature(entry);
}

/**
 * Checks that the writer of an entry has a key at all.
 *
 * @throws {LedgerIntegrityError}
 */
export function requireKey(entry: LedgerEntry, keys: readonly PublicKey[]): void {
  if (keys.length > 0) return;
  throw new LedgerIntegrityError(entry.n, `was written by ${entry.writer}, who has no key in this ledger`);
}

/**
 * The same off the main thread, with the text that was signed at hand.
 *
 * @returns what is wrong.
 */
export async function checkSignatureApart(
  entry: LedgerEntry,
  signed: string,
  keys: readonly PublicKey[],
): Promise<LedgerIntegrityError | undefined> {
  for (const key of keys) if (await verifyTextApart(signed, entry.sig, key)) return undefined;
  return badSignature(entry);
}

function badSignature({ n, writer }: LedgerEntry): LedgerIntegrityError {
  return new LedgerIntegrityError(n, `was altered: its signature is not by ${writer}`);
}

/**
 * Opens and parses the body of an entry that passed the checks; `undefined` when this zone does not
 * hold the key (the cloud and private notes).
 *
 * @throws {LedgerIntegrityError} when the body does not open, or is not what the entry says it is.
 */
export function openBody(entry: LedgerEntry, keyring: Keyring): LedgerBody | undefined {
  const key = vaultKey(keyring, entry.ring, entry.keyEpoch);
  if (key === undefined) return undefined;
  try {
    const plain = open(key, Buffer.from(entry.body, 'base64'), sealContext(entry));
    const body = LedgerBody.parse(JSON.parse(plain.toString()));
    if (body.kind !== entry.kind) throw new Error(`says ${entry.kind} outside and ${body.kind} inside`);
    return body;
  } catch (cause) {
    const why = cause instanceof z.ZodError ? 'does not have the form of its kind' : (cause as Error).message;
    throw new LedgerIntegrityError(entry.n, `the body cannot be read: ${why}`, { cause });
  }
}

function sealContext(entry: { vaultId: string; kind: string; attempt: string; ring: Ring }): string {
  return `${entry.vaultId}/${entry.ring}/${entry.kind}/${entry.attempt}`;
}
