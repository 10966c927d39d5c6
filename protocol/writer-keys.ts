import { canonicalJson } from './canonical.ts';
import type { KeysBody } from './ledger-body.ts';
import type { PublicKey } from './signing.ts';

/**
 * The keys that a writer may sign with: while its key is being rotated, the new one and the old one; none for
 * whoever is no writer of this ledger.
 */
export function signingKeysOf(keys: KeysBody | undefined, writer: string): readonly PublicKey[] {
  const row = keys?.writers.find((known) => known.writer === writer);
  if (!row) return [];
  return row.oldKey === undefined ? [row.publicKey] : [row.publicKey, row.oldKey];
}

/** The keys in force without the one that a writer had before `publicKey`; nothing when that was dropped already. */
export function withoutOldKey(keys: KeysBody, writer: string, publicKey: PublicKey): KeysBody | undefined {
  const row = keys.writers.find((known) => known.writer === writer);
  if (row?.publicKey !== publicKey || row.oldKey === undefined) return undefined;
  const { oldKey: _oldKey, ...kept } = row;
  return { ...keys, writers: keys.writers.map((known) => (known === row ? kept : known)) };
}

/**
 * Why new keys are more than a writer's renewal of its own key, or `undefined` if they are just that. This is all
 * that the cloud zone may change: it brings a new key beside one that it has, or drops one of the two. One of the
 * keys in force stays, so that a rotation which stops anywhere leaves a key that still signs. Nobody else's key
 * is touched, and the new one is nobody else's.
 */
export function renewalFault(before: KeysBody, after: KeysBody, writer: string): string | undefined {
  const rest = ({ writers, ...others }: KeysBody): string =>
    canonicalJson({ ...others, writers: writers.filter((row) => row.writer !== writer) });
  if (rest(before) !== rest(after)) return 'changes more than its own key';
  const [had, has] = [signingKeysOf(before, writer), signingKeysOf(after, writer)];
  const rows = after.writers.filter((row) => row.writer === writer);
  const zone = before.writers.find((row) => row.writer === writer)?.zone;
  if (rows.length !== 1 || rows[0]?.zone !== zone) return 'changes its zone or its place';
  if (!has.some((key) => had.includes(key))) return 'leaves none of its keys in force';
  const others = [...after.writers.filter((row) => row.writer !== writer), ...after.approvers];
  const taken = others.flatMap((row) =>
    'oldKey' in row && row.oldKey ? [row.publicKey, row.oldKey] : [row.publicKey],
  );
  return has.some((key) => taken.includes(key)) ? "takes another one's key" : undefined;
}
