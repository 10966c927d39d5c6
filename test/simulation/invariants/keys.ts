import { CloudSecret } from '#protocol/cloud-secret.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { VerifiedEntry } from '#protocol/ledger-session.ts';
import type { KeysBody } from '#protocol/ledger-body.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import { approverOf, readSecret, requireComplete, requireEqual, requireSealedAnew } from './keys-at-rest.ts';
import type { Begun } from './keys-at-rest.ts';
import { newEntries } from './witness.ts';
import type { WitnessedEntry, WitnessView } from './witness.ts';

/**
 * Keys that are renewed (`docs/keys.md`). At each step: new keys are on the first machine's disk before the cloud zone's
 * secret has them, and there before the ledger puts them into force, so that whatever they seal can be opened; the secret
 * loses none; and a machine has new keys on its disk before it writes or takes in what they seal. In the end each rotation
 * that a person began is complete and was one, every machine and the secret have the same keys, and those are in force;
 * where nobody cheats no function ever lacked the keys that it needed, and after a compromise the old ones open nothing
 * that is stored from then on, nor anything that is needed of before.
 */
export function auditKeys(world: World, witness: WitnessView): Auditor {
  const { secret } = world.cloud;
  const laptop = world.machines.get('laptop');
  const begun: Begun[] = [];
  let before: KeysBody | undefined;
  const fresh = newEntries(witness);

  function look(): void {
    for (const seen of fresh()) {
      if (seen.body.kind !== 'keys' || !seen.accepted) continue;
      const { body: keys, entry } = seen;
      const isNext = before !== undefined && keys.keyEpoch !== before.keyEpoch;
      if (isNext) began({ n: entry.n, keys, compromised: approverOf(before) !== approverOf(keys) }, entry);
      before = keys;
    }
  }

  function began(epoch: Begun, { n, writer }: WitnessedEntry['entry']): void {
    const { keyEpoch } = epoch.keys;
    requireThat(writer === 'laptop', 'keys', () => `entry ${n} by ${writer} begins key epoch ${keyEpoch}`);
    requireThat(
      readSecret(world.cloud).keyring.some((known) => known.keyEpoch === keyEpoch),
      'keys',
      () => `key epoch ${keyEpoch} is in force, and the secret of the cloud zone does not have it`,
    );
    begun.push(epoch);
  }

  function written(): void {
    const held = laptop?.keys.read().keyring ?? [];
    const { keyring } = readSecret(world.cloud);
    for (const { keyEpoch, shared } of keyring) {
      requireThat(
        held.some((known) => known.shared === shared),
        'keys',
        () => `the secret has a key of key epoch ${keyEpoch} that is not on the disk of the laptop`,
      );
    }
    const was = CloudSecret.parse(JSON.parse(secret.values.at(-2) ?? ''));
    const inForce = witness.state.keys?.keyEpoch ?? 1;
    const lost = was.keyring.find(
      (old) => old.keyEpoch <= inForce && !keyring.some(({ shared }) => shared === old.shared),
    );
    requireThat(
      lost === undefined,
      'keys',
      () => `the secret lost the key of key epoch ${lost?.keyEpoch ?? 0}`,
    );
  }

  /** What a machine writes or takes in is sealed with keys that outlive its process. */
  function requireKept(name: string, sealed: readonly { readonly entry: LedgerEntry }[]): void {
    const machine = world.machines.get(name);
    if (!machine || world.plan.rotations.length === 0) return;
    const { keyring } = machine.keys.read();
    const lost = sealed.find(({ entry }) => !keyring.some(({ keyEpoch }) => keyEpoch === entry.keyEpoch));
    requireThat(
      lost === undefined,
      'keys',
      () => `${name} has entry ${lost?.entry.n ?? 0}, and not the keys of it on its disk`,
    );
  }

  async function atEnd(): Promise<void> {
    if (witness.broken !== undefined) return;
    look();
    requireComplete(world, begun);
    requireEqual(world, witness, begun);
    if (world.plan.attacks.length > 0) return;
    const [trouble] = world.cloud.keyTrouble;
    requireThat(trouble === undefined, 'keys', () => `a function did not go on: ${trouble?.message ?? ''}`);
    await requireSealedAnew(world, witness, begun);
  }

  return {
    begin: ({ port, method, process, args }) => {
      if (port !== 'ledger' || method !== 'append') return;
      requireKept(process.host.name, [{ entry: args[0] as LedgerEntry }]);
    },
    step: ({ port, method, error, process, args }) => {
      if (port === 'copy' && method === 'keep' && error === undefined) {
        const taken = args[0] as readonly VerifiedEntry[];
        // What every reader refuses unread was sealed by whoever has what keys.
        requireKept(
          process.host.name,
          taken.filter(({ body }) => body !== undefined),
        );
      }
      if (port === 'ledger' && method === 'append') look();
      if (port === 'secret' && method === 'write' && error === undefined) written();
    },
    ...(world.plan.rotations.length === 0 ? {} : { atEnd }),
  };
}
