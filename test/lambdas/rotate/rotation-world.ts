import { rotate } from '#lambdas/rotate/rotate.ts';
import type { RotationOutcome, RotationPorts, RotationStep } from '#lambdas/rotate/rotate.ts';
import { createZoneSource } from '#lambdas/runtime/zone-session.ts';
import type { ZoneSource } from '#lambdas/runtime/zone-session.ts';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import type { LedgerStore, SecretVersions } from '#protocol/ports.ts';
import { newSigningKey } from '#protocol/signing.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import type { MemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import { createMemorySecretVersions } from '#test/support/memory/memory-secret-versions.ts';
import type { MemorySecretVersions } from '#test/support/memory/memory-secret-versions.ts';

/** The steps in the order in which Secrets Manager asks for them. */
export const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** The function dies at the `at`-th call of a service, before it takes effect or once it has; 0 never. */
export interface Death {
  readonly at: number;
  readonly when: 'before' | 'after';
  /** A reply that is lost leaves the function alive: what comes later is answered. */
  readonly lostReply?: boolean;
}

/** A secret and a ledger that belong together, and whoever rotates and works with them. */
export interface RotationWorld {
  readonly factory: LedgerFactory;
  readonly versions: MemorySecretVersions;
  readonly ledger: MemoryLedgerStore;
  /** One step for a version, in a process of its own. */
  step(versionId: string, step: RotationStep, death?: Death): Promise<RotationOutcome>;
  /** All steps, as Secrets Manager asks for them; the first failure ends it. Answers how many calls were made. */
  rotate(versionId: string, death?: Death): Promise<number>;
  /** A zone of the functions that work meanwhile; it begins cold. */
  zone(): ZoneSource;
  /** The secret that the functions read. */
  current(): CloudSecret;
  /** What the owner's machine makes of the ledger. */
  state(): Promise<VaultState>;
}

/** Makes one with a secret that was set up, or holds `value`. */
export function createRotationWorld(value?: string): RotationWorld {
  const factory = createLedgerFactory();
  const { vaultId, signingKey: signing, keyring } = factory.cloud;
  const secret = JSON.stringify({ vaultId, writer: 'cloud', signing, keyring, root: factory.root });
  const versions = createMemorySecretVersions(value ?? secret);
  const ledger = factory.store();
  const ids = createCountingIds('rotate');

  function ports(death: Death, count: () => number): RotationPorts {
    const store = mortal<LedgerStore>(ledger, death, count);
    return {
      versions: mortal<SecretVersions>(versions, death, count),
      withLedger: (own, work) =>
        createZoneSource(
          { read: async () => JSON.stringify(own) },
          { ledger: store, clock: factory.clock, ids },
        ).use(({ session }) => work(session)),
      newKey: newSigningKey,
    };
  }

  return {
    factory,
    versions,
    ledger,
    step: (versionId, step, death = { at: 0, when: 'before' }) => {
      let calls = 0;
      return rotate(
        { step, versionId },
        ports(death, () => ++calls),
      );
    },
    rotate: async (versionId, death = { at: 0, when: 'before' }) => {
      let calls = 0;
      const shared = ports(death, () => ++calls);
      for (const step of STEPS) await rotate({ step, versionId }, shared);
      return calls;
    },
    zone: () =>
      createZoneSource(
        { read: async () => versions.values.get(versions.at('AWSCURRENT') ?? '') ?? '' },
        { ledger, clock: factory.clock, ids },
      ),
    current: () =>
      CloudSecret.parse(JSON.parse(versions.values.get(versions.at('AWSCURRENT') ?? '') ?? 'null')),
    state: async () => {
      const reader = factory.session(factory.local, ledger);
      await reader.pull();
      return reader.state;
    },
  };
}

function mortal<T extends object>(port: T, death: Death, count: () => number): T {
  return new Proxy(port, {
    get(target, member, receiver) {
      const value: unknown = Reflect.get(target, member, receiver);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        const call = count();
        const isDead = death.at > 0 && call > death.at && death.lostReply !== true;
        if (isDead || (call === death.at && death.when === 'before')) throw new Error(`died at call ${call}`);
        const result: unknown = await Reflect.apply(value, target, args);
        if (call === death.at) throw new Error(`died after call ${call}`);
        return result;
      };
    },
  });
}
