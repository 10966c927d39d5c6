import type { CloudSecret } from '#protocol/cloud-secret.ts';
import type { SecretVersions } from '#protocol/ports.ts';
import { signText, verifyText } from '#protocol/signing.ts';
import type { SigningKey } from '#protocol/signing.ts';
import { signingKeysOf } from '#protocol/writer-keys.ts';
import { bringIn, dropOld, requireInForce } from './ledger-keys.ts';
import type { ZoneLedger } from './ledger-keys.ts';
import { RotationRefusedError } from './rotation-refused.ts';
import { readSuccessor, readZoneSecret, successorOf } from './zone-secret.ts';

/** The four steps in which Secrets Manager has a secret rotated. */
export type RotationStep = 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';

/** One step for one version of the secret. */
export interface RotationRequest {
  readonly step: RotationStep;
  /** The version that becomes the secret (`ClientRequestToken`). */
  readonly versionId: string;
}

/** What a step works with. */
export interface RotationPorts {
  readonly versions: SecretVersions;
  /** Works on the ledger as the writer that a secret is of. The work has to be safe to run twice. */
  readonly withLedger: <T>(secret: CloudSecret, work: (ledger: ZoneLedger) => Promise<T>) => Promise<T>;
  readonly newKey: () => SigningKey;
}

/**
 * How a step ended. `nothing-to-do`: the version is the secret already. `not-set-up`: the secret holds what it was
 * deployed with. `trial`: Secrets Manager tries the function out, with a version that is to have no value.
 */
export type RotationOutcome =
  'created' | 'kept' | 'set' | 'tested' | 'finished' | 'nothing-to-do' | 'not-set-up' | 'trial';

/** The version that a step is about, and the one that is the secret now. */
interface Rotating {
  readonly versionId: string;
  readonly currentId: string;
  readonly current: CloudSecret;
}

/**
 * Gives the cloud zone a new signing key, one step at a time. Each step may be run again, and end anywhere: at every
 * moment the key in the secret is in force in the ledger, so that both zones go on through it.
 *
 * - `createSecret` puts a copy of the secret with a new key beside it, as `AWSPENDING`.
 * - `setSecret` brings the new key into the ledger; both count from then on.
 * - `testSecret` proves that the copy works.
 * - `finishSecret` makes it the secret, and takes the old key out of the ledger.
 *
 * If somebody writes another secret meanwhile, the copy is given up and nothing of theirs is touched.
 *
 * @throws {RotationRefusedError} with what is wrong and what to do; it holds no value and no key.
 */
export async function rotate(request: RotationRequest, ports: RotationPorts): Promise<RotationOutcome> {
  const { versionId, step } = request;
  const { rotationEnabled, stages } = await ports.versions.describe();
  if (!rotationEnabled) throw new RotationRefusedError('the secret is not set to rotate');
  const own = stages.get(versionId);
  const at = (stage: string): string | undefined => [...stages].find(([, list]) => list.includes(stage))?.[0];
  const currentId = at('AWSCURRENT');
  if (own === undefined || currentId === undefined) {
    throw new RotationRefusedError(`version ${versionId} has no stage: it is no rotation that is under way`);
  }
  const isCurrent = currentId === versionId;
  if (!isCurrent && !own.includes('AWSPENDING')) {
    throw new RotationRefusedError(`version ${versionId} is not AWSPENDING; another rotation took its place`);
  }
  const current = readZoneSecret(await ports.versions.read(currentId));
  if (current === 'placeholder') {
    // Else Secrets Manager would take this rotation for one that is still under way.
    if (step === 'finishSecret' && !isCurrent) await ports.versions.moveStage('AWSPENDING', versionId);
    return 'not-set-up';
  }
  if (isCurrent) {
    if (step !== 'finishSecret') return 'nothing-to-do';
    await tidy(versionId, current, ports);
    return 'finished';
  }
  return steps[step]({ versionId, currentId, current }, ports);
}

const steps: Readonly<
  Record<RotationStep, (rotating: Rotating, ports: RotationPorts) => Promise<RotationOutcome>>
> = {
  createSecret: async (rotating, ports) => {
    if (await pendingOf(rotating, ports)) return 'kept';
    const { versionId, current } = rotating;
    const value = JSON.stringify(successorOf(current, ports.newKey()));
    if ((await ports.versions.put(versionId, value, 'AWSPENDING')) === 'put') return 'created';
    // Another run of this step was first, and its value is as good.
    await requirePending(rotating, ports);
    return 'kept';
  },

  setSecret: async (rotating, ports) => {
    const pending = await requirePending(rotating, ports);
    const { current } = rotating;
    await ports.withLedger(current, (ledger) => bringIn(ledger, current, pending.signing.publicKey));
    return 'set';
  },

  testSecret: async (rotating, ports) => {
    const pending = await pendingOf(rotating, ports);
    if (pending === undefined) {
      const { current } = rotating;
      await ports.withLedger(current, (ledger) => requireInForce(ledger, current));
      return 'trial';
    }
    await ports.withLedger(pending, (ledger) => requireWorking(ledger, pending));
    return 'tested';
  },

  finishSecret: async (rotating, ports) => {
    const { versionId, currentId } = rotating;
    const pending = await requirePending(rotating, ports);
    await ports.withLedger(pending, (ledger) => requireWorking(ledger, pending));
    const moved = await ports.versions.moveStage('AWSCURRENT', currentId, versionId);
    if (moved === 'elsewhere' && !(await isCurrentNow(versionId, ports))) {
      throw new RotationRefusedError('the secret was written by somebody else just now; nothing was changed');
    }
    await tidy(versionId, pending, ports);
    return 'finished';
  },
};

/** What the version holds; `undefined` if nothing yet. @throws {RotationRefusedError} if it is no copy any more */
async function pendingOf(
  { versionId, current }: Rotating,
  ports: RotationPorts,
): Promise<CloudSecret | undefined> {
  const text = await ports.versions.read(versionId);
  if (text === undefined) return undefined;
  const pending = readSuccessor(text, current);
  if (pending !== undefined) return pending;
  // A version keeps its value, so it has to be another one. Without its stage the next rotation begins anew.
  await ports.versions.moveStage('AWSPENDING', versionId);
  throw new RotationRefusedError(
    `the secret was written by somebody else since version ${versionId} was made of it: that version is given up, and the next rotation makes a new one`,
  );
}

async function requirePending(rotating: Rotating, ports: RotationPorts): Promise<CloudSecret> {
  const pending = await pendingOf(rotating, ports);
  if (pending !== undefined) return pending;
  throw new RotationRefusedError(`version ${rotating.versionId} has no value: createSecret comes first`);
}

async function requireWorking(ledger: ZoneLedger, secret: CloudSecret): Promise<void> {
  await requireInForce(ledger, secret);
  // Of no use to anybody: what is signed in a ledger is an entry, and no entry is this.
  const probe = `ai-employee/rotation-test/v1 ${secret.vaultId} ${ledger.state.head.n}`;
  const signature = signText(probe, secret.signing);
  const keys = signingKeysOf(ledger.state.keys, secret.writer);
  if (keys.some((key) => verifyText(probe, signature, key))) return;
  throw new RotationRefusedError(
    'what the new key signs does not verify: its two halves do not belong together',
  );
}

async function isCurrentNow(versionId: string, { versions }: RotationPorts): Promise<boolean> {
  const { stages } = await versions.describe();
  return stages.get(versionId)?.includes('AWSCURRENT') === true;
}

/** What is left to do once a version is the secret. */
async function tidy(versionId: string, secret: CloudSecret, ports: RotationPorts): Promise<void> {
  // It may be off already, or on the version of the next rotation; both are well.
  await ports.versions.moveStage('AWSPENDING', versionId);
  await ports.withLedger(secret, (ledger) => dropOld(ledger, secret));
}
