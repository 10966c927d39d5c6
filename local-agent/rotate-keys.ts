import { CloudSecret } from '#protocol/cloud-secret.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { withoutOldKey } from '#protocol/writer-keys.ts';
import type { Agent } from './agent.ts';
import { completeHistory } from './complete-history.ts';
import { PersonNeededError, UsageError } from './exit-codes.ts';
import { checkCloudSecret, readCloudSecret } from './init-cloud.ts';
import { takeOver } from './key-epochs.ts';
import type { KeyStore } from './key-store.ts';
import type { AgentKeys, Rotation } from './keys.ts';
import { resealContents } from './reseal.ts';
import { newKeysBody } from './rotation-body.ts';
import { settleVoided } from './settle-items.ts';
import { writeCheckpoint } from './write-checkpoint.ts';

/** The cloud zone's secret, as its owner reaches it. */
export interface OwnedSecret {
  read(): Promise<string>;
  write(text: string): Promise<void>;
}

/** Which rotation is wanted. */
export interface RotationRequest {
  /** The keys may be in other hands. `without`: machines that are not the owner's any more. */
  readonly compromised?: { readonly without: readonly string[] } | undefined;
}

/** What a rotation did. */
export interface RotationReport {
  readonly keyEpoch: number;
  /** The entry with which it came into force. */
  readonly entry: number;
  readonly compromised: boolean;
  /** It had been begun before, and is complete now. */
  readonly goneOn: boolean;
  /** Approvals that are void and have to be given again. */
  readonly voided: readonly string[];
  readonly resealed: number;
  readonly unreadable: number;
}

/** What a rotation works with. */
export interface RotationPorts {
  readonly agent: Agent & { readonly keyStore: KeyStore };
  readonly secret: OwnedSecret;
  readonly say: (line: string) => void;
}

/**
 * Puts new vault keys into force: they are on this disk before the cloud zone has them, there before the ledger
 * names them, and nothing is sealed with them before that. Each step may be the last one of a run that was killed;
 * the next run goes on with it and makes no second one.
 *
 * @throws {UsageError} {@link PersonNeededError} {@link InitRefusedError} and what the services throw.
 */
export async function rotateKeys(ports: RotationPorts, request: RotationRequest): Promise<RotationReport[]> {
  const { agent, say } = ports;
  await readyToRotate(agent);
  const secret = await ownSecret(ports);
  const reports: RotationReport[] = [];
  const pending = agent.keys.rotation ?? lostBy(secret, agent);
  if (pending) {
    say(`the rotation to key epoch ${pending.keyEpoch} was begun before and is completed`);
    reports.push({ ...(await carryOut(ports, pending)), goneOn: true });
    const isEnough = request.compromised === undefined || pending.compromised !== undefined;
    if (isEnough) return reports;
  }
  reports.push({ ...(await carryOut(ports, begin(ports, request))), goneOn: false });
  return reports;
}

/**
 * Reads all that there is, and makes sure that this machine may rotate.
 *
 * @throws {PersonNeededError}
 */
export async function readyToRotate(agent: Agent): Promise<void> {
  if (agent.keys.signing.publicKey !== agent.config.root) {
    throw new PersonNeededError(
      'only the machine that began the vault can rotate its keys: run "employee keys rotate" there',
    );
  }
  await completeHistory(agent);
  await agent.session.pull();
  if (!agent.session.state.keys) {
    throw new PersonNeededError('the vault was not set up yet: run "employee init"');
  }
}

/** First of all the new keys are durable here: whatever is sealed with them later can be opened. */
function begin({ agent, say }: RotationPorts, { compromised }: RotationRequest): Rotation {
  const { keyStore, session, config } = agent;
  const inForce = session.state.keys?.keyEpoch ?? 1;
  for (const name of compromised?.without ?? []) {
    const row = session.state.keys?.writers.find(({ writer }) => writer === name);
    if (row?.zone === 'local' && name !== config.agent) continue;
    throw new UsageError(`--without ${name}: is no other machine of this vault`);
  }
  const stored = keyStore.read();
  const copy = keyStore.backUp(`epoch-${inForce}`);
  const keyEpoch = inForce + 1;
  const rotation: Rotation = {
    keyEpoch,
    ...(compromised
      ? {
          compromised: {
            approval: newSigningKey(),
            cloudSigning: newSigningKey(),
            without: [...compromised.without],
          },
        }
      : {}),
  };
  const fresh = { keyEpoch, shared: newVaultKey(), private: newVaultKey() };
  store(agent, { ...stored, keyring: [...stored.keyring, fresh], rotation });
  say(`new vault keys of key epoch ${keyEpoch} are on this machine; what was there before is ${copy}`);
  return rotation;
}

async function carryOut(ports: RotationPorts, rotation: Rotation): Promise<Omit<RotationReport, 'goneOn'>> {
  const { agent, say } = ports;
  const { keyEpoch, compromised } = rotation;
  const { session } = agent;
  await putSecret(ports, rotation);
  say("the cloud zone's secret has them beside the earlier ones");
  const { writer, signing } = await ownSecret(ports);
  await session.append(({ keys }) =>
    !keys || keys.keyEpoch >= keyEpoch
      ? undefined
      : { body: newKeysBody(agent, keys, rotation, { writer, publicKey: signing.publicKey }) },
  );
  say(`key epoch ${keyEpoch} is in force from entry ${session.state.epochStart?.n ?? 0} on`);
  const voided = compromised ? await settleAllOfRotation(agent) : [];
  await writeCheckpoint(agent);
  await putSecret(ports, rotation);
  if (compromised) {
    await session.append(({ keys }) => {
      const body = keys && withoutOldKey(keys, writer, compromised.cloudSigning.publicKey);
      return body && { body };
    });
    say('the cloud zone signs with a new key; the old one counts no more');
  }
  const progress = (done: number, total: number): void => say(`stored again: ${done} of ${total}`);
  const contents = compromised ? await resealContents(agent, progress) : { resealed: 0, unreadable: 0 };
  const { rotation: _done, ...rest } = agent.keyStore.read();
  store(agent, { ...rest, ...(compromised ? { approval: compromised.approval } : {}) });
  const entry = session.state.epochStart?.n ?? 0;
  return { keyEpoch, entry, compromised: compromised !== undefined, voided, ...contents };
}

/** Writes the keys into the secret as far as they are in force; nothing when all of it is there. */
async function putSecret(ports: RotationPorts, { keyEpoch, compromised }: Rotation): Promise<void> {
  const { agent, secret } = ports;
  const was = await ownSecret(ports);
  const held = agent.keys.keyring.map(({ private: _private, ...keys }) => keys);
  const isInForce = (agent.session.state.keys?.keyEpoch ?? 0) >= keyEpoch;
  const signing = isInForce && compromised ? compromised.cloudSigning : was.signing;
  const now = CloudSecret.parse({ ...was, signing, keyring: held });
  if (JSON.stringify(now) !== JSON.stringify(was)) await secret.write(JSON.stringify(now));
}

async function ownSecret({ agent, secret }: RotationPorts): Promise<CloudSecret> {
  const found = await readCloudSecret(secret);
  if (!found) throw new PersonNeededError('the cloud zone has no secret: run "employee init" first');
  checkCloudSecret(found, agent.config.vaultId, agent.config.root);
  return found;
}

/** A secret that was put back to what it had been lacks the keys in force: then they are put there again. */
function lostBy({ keyring }: CloudSecret, { session }: Agent): Rotation | undefined {
  const keyEpoch = session.state.keys?.keyEpoch ?? 1;
  return keyring.some((known) => known.keyEpoch === keyEpoch) ? undefined : { keyEpoch };
}

/** The tasks' items follow the ledger: these wait for a person again. */
async function settleAllOfRotation(agent: Agent): Promise<string[]> {
  const { tasks, epochStart } = agent.session.state;
  const n = epochStart?.n;
  const voided = [...tasks.values()].filter(
    ({ state, updatedN, voided: why }) => state === 'pending_approval' && why !== undefined && updatedN === n,
  );
  for (const task of voided) await settleVoided(agent, task);
  return voided.map(({ taskId }) => taskId);
}

function store({ keys, keyStore }: RotationPorts['agent'], fresh: AgentKeys): void {
  keyStore.write(fresh);
  takeOver(keys, fresh);
}
