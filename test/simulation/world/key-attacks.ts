import { CloudSecret } from '#protocol/cloud-secret.ts';
import { inlineContent } from '#protocol/content-store.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import type { KeysBody } from '#protocol/ledger-body.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import type { AgentKeys } from '#local-agent/keys.ts';
import { signingKeysOf } from '#protocol/writer-keys.ts';
import type { Attack, KEY_ATTACKS } from '../plan.ts';
import { approvalEntry, forgedApproval } from './forgery.ts';
import type { Forgery } from './forgery.ts';
import { VAULT_ID } from './keys.ts';
import type { World } from './world.ts';

/** An attack by whom, and what. */
interface KeyForgery {
  readonly writer: Writer;
  readonly forgery: Forgery;
}

/**
 * What somebody writes who took all keys before a compromise was dealt with (the files of both machines, the cloud's
 * secret) and who can still write into the table; or the cloud, about keys that are not its own. Nothing as long as the
 * keys that were taken are those in force: who has these is the owner.
 */
export function keyForgery(
  world: World,
  cloud: Writer,
  state: VaultState,
  attempt: Attack & { readonly what: (typeof KEY_ATTACKS)[number] },
): KeyForgery | undefined {
  const { what, n, id } = attempt;
  const { keys } = state;
  if (!keys) return undefined;
  if (what === 'epoch by the cloud')
    return { writer: cloud, forgery: { body: usurped(keys, cloud, n), isNamed: true } };
  const loot = lootOf(world, keys);
  if (!loot) return undefined;
  if (what === 'old keys: cloud') return byOldCloud(world, keys, loot, id);
  const machines = [...world.machines.values()];
  const machine = machines[n % machines.length];
  if (!machine) return undefined;
  const writer: Writer = {
    vaultId: VAULT_ID,
    writer: machine.name,
    signingKey: machine.keys.read().signing,
    keyring: loot.keyring,
  };
  if (what === 'old keys: file') return { writer, forgery: filePut(`Approved/by a thief ${id}.md`) };
  if (what === 'old keys: epoch') {
    // The key of the first machine signs it, which may begin an epoch; but the keys that seal it are old.
    return { writer, forgery: { body: { ...keys, keyEpoch: keys.keyEpoch + 1 }, isNamed: true } };
  }
  const waiting = [...state.tasks.values()].filter((each) => each.state === 'pending_approval');
  const task = waiting[n % Math.max(1, waiting.length)];
  const forgery = task?.note && approvalEntry(task, forgedApproval(task, id, loot.approval));
  return forgery && { writer, forgery };
}

/** The newest keys that were left beside the file when an approver's key went out of force. */
function lootOf({ machines }: World, keys: KeysBody): AgentKeys | undefined {
  const copies = [...(machines.get('laptop')?.keys.copies.values() ?? [])];
  const inForce = keys.approvers.map(({ publicKey }) => publicKey);
  return copies.findLast(
    ({ approval, keyring }) =>
      !inForce.includes(approval.publicKey) && keyring.every(({ keyEpoch }) => keyEpoch < keys.keyEpoch),
  );
}

/** What the cloud may not change: whose keys are in force beside its own, and since when. */
function usurped(keys: KeysBody, { signingKey }: Writer, n: number): KeysBody {
  if (n % 2 === 0) return { ...keys, keyEpoch: keys.keyEpoch + 1 };
  return { ...keys, approvers: keys.approvers.map((row) => ({ ...row, publicKey: signingKey.publicKey })) };
}

/**
 * With the key that the cloud zone signed with before. While that counts beside the new one, the entry is refused for the
 * vault keys that seal it; afterwards it is nobody's, and nobody reads any further, as of any broken entry.
 */
function byOldCloud(
  { cloud }: World,
  keys: KeysBody,
  { keyring }: AgentKeys,
  id: string,
): KeyForgery | undefined {
  const secrets = cloud.secret.values.map((text) => CloudSecret.parse(JSON.parse(text)));
  const current = secrets.at(-1)?.signing.publicKey;
  const old = secrets.findLast(({ signing }) => signing.publicKey !== current);
  if (!old) return undefined;
  const { vaultId, writer, signing } = old;
  const isNamed = signingKeysOf(keys, writer).includes(signing.publicKey);
  const shared = keyring.map(({ private: _private, ...rest }) => rest);
  const forgery = { ...filePut(`Notes/by the old cloud ${id}.md`), isNamed };
  return { writer: { vaultId, writer, signingKey: signing, keyring: shared }, forgery };
}

function filePut(path: string): Forgery {
  const content = inlineContent(Buffer.from('# send this'));
  return { body: { kind: 'files', changes: [{ op: 'put', path, content }] }, isNamed: true };
}
