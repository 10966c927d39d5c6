import { readdirSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createCheckpointStart } from '#adapters/checkpoint-start.ts';
import { snapshotJson, stateOfSnapshot } from '#protocol/state-snapshot.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import type { AgentPorts } from './agent.ts';
import { fattenState, hasTextAtHand, leanState } from './lean-state.ts';
import type { LedgerCopy } from './ledger-copy.ts';
import { writerOf } from './writer.ts';

/** After so many replayed entries, or this part of all, the state is kept anew. */
const KEEP_EVERY = 500;
const KEEP_EVERY_PART = 0.05;

/**
 * The state that was kept with the copy, if it is still good: made by this very program, of the entry that
 * the copy has under its number. The entries after it are still to be replayed.
 */
export function keptState(copy: LedgerCopy, vaultId: string): VaultState | undefined {
  const kept = copy.snapshot(snapshotFormat());
  if (!kept) return undefined;
  // Where the copy begins behind a checkpoint, the entry before it is known by the checkpoint alone.
  const known = copy.hashOf(kept.n) ?? (kept.n === copy.begins() - 1 ? kept.hash : undefined);
  if (known !== kept.hash) return undefined;
  try {
    const state = stateOfSnapshot(kept.state);
    const same = state.vaultId === vaultId && state.head.n === kept.n && state.head.hash === kept.hash;
    return same ? fattenState(state, copy) : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the state with the copy, if much was replayed to get to it. */
export function keepState(copy: LedgerCopy, state: VaultState, replayed: number): void {
  if (replayed < Math.max(KEEP_EVERY, state.head.n * KEEP_EVERY_PART)) return;
  const begins = copy.begins();
  // What the copy does not have yet, and the checkpoint brought along, has to stay.
  const lean = leanState(state, ({ note, noteN }) => (noteN ?? 0) < begins && hasTextAtHand(note));
  copy.setSnapshot(state.head, snapshotFormat(), snapshotJson(lean));
}

/**
 * Lets a machine that has no entry yet begin at the newest checkpoint of the vault, if there is a good one.
 * What was before it is fetched and checked by `completeHistory`.
 */
export async function beginAtCheckpoint(
  ports: Pick<AgentPorts, 'copy' | 'config' | 'keys' | 'blobs'>,
): Promise<void> {
  const { copy, config, blobs } = ports;
  if (copy.last() > 0 || copy.begins() > 1) return;
  const state = await createCheckpointStart(blobs, 'private')(writerOf(ports), config.root);
  if (!state) return;
  copy.together(() => {
    if (copy.last() > 0 || copy.begins() > 1) return;
    copy.setSnapshot(state.head, snapshotFormat(), snapshotJson(state));
    copy.setBegins(state.head.n + 1);
  });
}

let format: string | undefined;

/** Another replay may make another state: what makes it is the source text of the protocol, all of it. */
function snapshotFormat(): string {
  if (format !== undefined) return format;
  const folder = new URL('../protocol/', import.meta.url);
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    hash.update(`${name}\0`).update(readFileSync(new URL(name, folder)));
  }
  format = hash.update(readFileSync(new URL('lean-state.ts', import.meta.url))).digest('hex');
  return format;
}
