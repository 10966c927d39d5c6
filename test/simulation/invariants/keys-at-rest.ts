import { CloudSecret } from '#protocol/cloud-secret.ts';
import type { HeldContent } from '#protocol/content.ts';
import { loadContent } from '#protocol/content-store.ts';
import type { KeysBody } from '#protocol/ledger-body.ts';
import { contentsOf, relocated } from '#protocol/ledger-contents.ts';
import type { Ring } from '#protocol/seal.ts';
import type { Cloud } from '../world/cloud.ts';
import { VAULT_ID } from '../world/keys.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { WitnessView } from './witness.ts';

/** A key epoch that came into force. */
export interface Begun {
  readonly n: number;
  readonly keys: KeysBody;
  /** The approver has another key than before: it is one after a compromise. */
  readonly compromised: boolean;
}

/** Each rotation that a person began is complete, and made one key epoch. */
export function requireComplete({ rotations, machines }: World, begun: readonly Begun[]): void {
  const { complete, begun: wanted, handedOver } = rotations;
  requireThat(
    complete.length === wanted,
    'keys',
    () => `of ${wanted} rotations ${complete.length} are complete`,
  );
  const compromised = complete.filter((each) => each.compromised);
  const others = machines.size - 1;
  requireThat(
    handedOver === compromised.length * others,
    'keys',
    () => `keys were carried over ${handedOver} times`,
  );
  const made = begun.filter((each) => each.compromised).length;
  requireThat(
    made === compromised.length,
    'keys',
    () => `${compromised.length} rotations after a compromise made ${made} key epochs`,
  );
  // One that became one after a compromise may have been begun as an ordinary one before.
  const least = complete.filter((each) => !each.compromised).length;
  const most = least + complete.filter(({ grew }) => grew).length;
  const ordinary = begun.length - made;
  requireThat(
    ordinary >= least && ordinary <= most,
    'keys',
    () => `${least} to ${most} ordinary rotations made ${ordinary} key epochs`,
  );
}

/** Every machine and the cloud zone's secret have the same keys, and those are in force. */
export function requireEqual(
  { cloud, machines }: World,
  { state }: WitnessView,
  begun: readonly Begun[],
): void {
  const { keys, checkpointN = 0, epochStart } = state;
  const { signing, keyring } = readSecret(cloud);
  const row = keys?.writers.find(({ writer }) => writer === 'cloud');
  requireThat(
    row?.publicKey === signing.publicKey && row.oldKey === undefined,
    'keys',
    () => "the key that the cloud zone's secret signs with is not the only one in force",
  );
  const marks = begun.map(({ n, keys: { keyEpoch } }) => `${keyEpoch} from ${n}`).join();
  for (const { name, keys: disk } of machines.values()) {
    const file = disk.read();
    requireThat(file.rotation === undefined, 'keys', () => `a rotation of ${name} is not complete`);
    requireThat(
      file.approval.publicKey === approverOf(keys),
      'keys',
      () => `${name} has another key of the approver than the one in force`,
    );
    const known = file.keyring.flatMap(({ keyEpoch, from }) => (from ? `${keyEpoch} from ${from.n}` : []));
    requireThat(known.join() === marks, 'keys', () => `${name} has key epochs ${known.join()}, not ${marks}`);
    requireThat(
      JSON.stringify(file.keyring.map(({ shared }) => shared)) ===
        JSON.stringify(keyring.map(({ shared }) => shared)),
      'keys',
      () => `${name} and the secret of the cloud zone hold other keys`,
    );
  }
  requireThat(
    begun.length === 0 || checkpointN > (epochStart?.n ?? 0),
    'keys',
    () => 'there is no checkpoint under the keys in force',
  );
}

/** What entries name outside of the ledger, where it is now, is not opened by keys of before the last compromise. */
export async function requireSealedAnew(
  { cloud, machines }: World,
  witness: WitnessView,
  begun: readonly Begun[],
): Promise<void> {
  const last = begun.findLast(({ compromised }) => compromised);
  if (!last) return;
  const old = (machines.get('laptop')?.keys.read().keyring ?? []).filter(
    ({ keyEpoch }) => keyEpoch < last.keys.keyEpoch,
  );
  const opens = async (content: HeldContent, ring: Ring): Promise<boolean> =>
    loadContent(content, ring, old, VAULT_ID, cloud.blobs).then(
      () => true,
      () => false,
    );
  for (const { entry, body } of witness.entries()) {
    for (const named of contentsOf(body)) {
      const content = relocated(named, witness.state.resealed);
      if (!('blob' in content)) continue;
      // A checkpoint has a part in both rings.
      const isOpen = (await opens(content, 'shared')) || (await opens(content, 'private'));
      requireThat(
        !isOpen,
        'keys',
        () =>
          `keys of before the compromise (entry ${last.n}) open what entry ${entry.n} (${body.kind}) names`,
      );
    }
  }
}

/**
 * Whether a machine has not got the keys in force, and never gets them: where nobody reads the ledger any further, a
 * rotation may never come so far that they can be carried over. Such a machine stops before them.
 */
export function lacksKeys({ keys }: Machine, witness: WitnessView): boolean {
  const keyEpoch = witness.state.keys?.keyEpoch;
  return witness.broken !== undefined && !keys.read().keyring.some((held) => held.keyEpoch === keyEpoch);
}

/** The key with which the owner approves, as of an entry of keys. */
export function approverOf(keys: KeysBody | undefined): string | undefined {
  return keys?.approvers[0]?.publicKey;
}

/** What the cloud zone's secret says now. */
export function readSecret({ secret }: Cloud): CloudSecret {
  return CloudSecret.parse(JSON.parse(secret.values.at(-1) ?? ''));
}
