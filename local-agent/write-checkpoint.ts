import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { checkpointHintId, sealHint } from '#protocol/checkpoint.ts';
import { REPLAY_VERSION, snapshotJson } from '#protocol/state-snapshot.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { store, storeSealed } from './contents.ts';
import { leanState } from './lean-state.ts';
import { writerOf } from './writer.ts';

/** A checkpoint is due after so many entries, or this part of all: then there are few, however long the ledger. */
const DUE_AFTER = 1000;
const DUE_AFTER_PART = 0.1;
/** The last checkpoint whose copy for readers that begin was put in its place. */
const HINTED = 'checkpointHinted';

const ENDED: ReadonlySet<string> = new Set(['done', 'ignored', 'rejected']);

/**
 * Writes a checkpoint if one is due: after many entries, and after new vault keys. Only the machine with the vault's root key does: it is the one key that
 * a reader knows that has nothing yet.
 *
 * @param dueAfter so many entries. @default 1000
 * @returns whether one was written.
 */
export async function writeCheckpoint(agent: Agent, dueAfter = DUE_AFTER): Promise<boolean> {
  const { state } = agent.session;
  if (agent.keys.signing.publicKey !== agent.config.root || agent.copy.begins() > 1) return false;
  const before = state.checkpointN ?? 0;
  const due =
    state.head.n - before >= Math.max(dueAfter, state.head.n * DUE_AFTER_PART) || isSealedBefore(state);
  if (due) await append(agent, before);
  await hint(agent);
  return due && state.checkpointN !== before;
}

/** One that was made under the keys of before is of no use to a reader that has only newer ones. */
function isSealedBefore({ epochStart, checkpointN }: VaultState): boolean {
  return epochStart !== undefined && epochStart.n > 1 && (checkpointN ?? 0) < epochStart.n;
}

async function append(agent: Agent, before: number): Promise<void> {
  const { state } = agent.session;
  const { n: upTo, hash } = state.head;
  // Both texts are made at once, before anything else can happen to the state.
  const isOpen = ({ state: now }: TaskView): boolean => !ENDED.has(now);
  const whole = snapshotJson(leanState(state, isOpen));
  const known = snapshotJson(leanState(sharedPart(state), isOpen));
  const body = {
    kind: 'checkpoint' as const,
    upTo,
    hash,
    replay: REPLAY_VERSION,
    private: await storeSealed(agent, await promisify(gzip)(whole), 'private'),
    shared: await store(agent, await promisify(gzip)(known), 'shared'),
  };
  await agent.session.append((now) => ((now.checkpointN ?? 0) === before ? { body } : undefined));
}

/** What the cloud zone replays for itself, member by member: what is new in the state is not for it by itself. */
function sharedPart(state: VaultState): VaultState {
  const { vaultId, head, keys, epochStart, resealed, tasks, noteNames, nonces, effects } = state;
  const { acknowledged, checkpointN, founder } = state;
  return {
    vaultId,
    head,
    ...(keys ? { keys } : {}),
    ...(epochStart ? { epochStart } : {}),
    ...(founder === undefined ? {} : { founder }),
    resealed: new Map([...resealed].filter(([, { ring }]) => ring === 'shared')),
    tasks,
    files: new Map([...state.files].filter(([, { ring }]) => ring === 'shared')),
    noteNames,
    nonces,
    effects,
    refusals: [],
    conflicts: new Map(),
    acknowledged,
    ...(checkpointN === undefined ? {} : { checkpointN }),
  };
}

/** Puts a copy of the newest checkpoint where readers look that begin; also one that a crash left out. */
async function hint(agent: Agent): Promise<void> {
  const { checkpointN } = agent.session.state;
  if (checkpointN === undefined || agent.copy.fact(HINTED) === String(checkpointN)) return;
  const entry = agent.copy.entryAt(checkpointN);
  if (entry?.writer !== agent.config.agent) return;
  const writer = writerOf(agent);
  await agent.blobs.put(checkpointHintId(writer), sealHint(entry, writer));
  agent.copy.setFact(HINTED, String(checkpointN));
}
