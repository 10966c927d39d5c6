import { SealError } from './errors.ts';
import type { KeysBody } from './ledger-body.ts';
import { open, seal } from './seal.ts';
import type { Keyring, Ring, VaultKeys } from './seal.ts';
import { zoneOf } from './vault-state.ts';
import type { VaultState } from './vault-state.ts';

/**
 * Why the key epoch of new keys cannot follow the one in force, or `undefined`: it stays or goes up by one, so
 * that no keys that were retired come back; and only the machine that began the vault raises it, so that a lost
 * one locks nobody out.
 */
export function epochFault(
  { keys: before, founder }: Pick<VaultState, 'keys' | 'founder'>,
  writer: string,
  after: KeysBody,
): string | undefined {
  const step = before ? after.keyEpoch - before.keyEpoch : 0;
  if (step === 0 || (step === 1 && writer === founder)) return undefined;
  return `${writer} went from key epoch ${before?.keyEpoch} to ${after.keyEpoch}`;
}

/** Whether an entry of keys, as the next one, puts a new key epoch into force. */
export function beginsEpoch(state: VaultState, writer: string, body: KeysBody): boolean {
  const { keys } = state;
  if (!keys || keys.keyEpoch === body.keyEpoch) return false;
  return zoneOf(state, writer) === 'local' && epochFault(state, writer, body) === undefined;
}

/**
 * Seals new vault keys with those in force, for whoever holds these and reads the entry that brings the new ones.
 *
 * @throws {SealError} when a key of a ring is missing.
 */
export function wrapKeys(
  next: VaultKeys,
  before: VaultKeys,
  vaultId: string,
): NonNullable<KeysBody['wrapped']> {
  const wrap = (ring: Ring): string => {
    const [key, text] = [before[ring], next[ring]];
    if (key === undefined || text === undefined) throw new SealError(`there is no ${ring} key to wrap`);
    return seal(key, Buffer.from(text), contextOf(vaultId, ring, next.keyEpoch)).toString('base64');
  };
  return { shared: wrap('shared'), private: wrap('private') };
}

/**
 * The new vault keys that an entry of keys carries, for the rings whose key this zone holds; `undefined` when it
 * carries none, or none for this zone.
 *
 * @throws {SealError} when they were not sealed with the keys before.
 */
export function unwrapKeys(body: KeysBody, keyring: Keyring, vaultId: string): VaultKeys | undefined {
  const { wrapped, keyEpoch } = body;
  const before = keyring.find((keys) => keys.keyEpoch === keyEpoch - 1);
  if (!wrapped || !before) return undefined;
  const unwrap = (ring: Ring, key: string): string =>
    open(key, Buffer.from(wrapped[ring], 'base64'), contextOf(vaultId, ring, keyEpoch)).toString();
  return {
    keyEpoch,
    shared: unwrap('shared', before.shared),
    ...(before.private === undefined ? {} : { private: unwrap('private', before.private) }),
  };
}

function contextOf(vaultId: string, ring: Ring, keyEpoch: number): string {
  return `${vaultId}/keys/${keyEpoch}/${ring}`;
}
