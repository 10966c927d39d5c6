import type { BlobRef, ContentRef } from '#protocol/content.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { Ring } from '#protocol/seal.ts';
import type { Agent } from './agent.ts';
import { loadAll, storeAll } from './contents.ts';
import { openBodies } from './open-bodies.ts';
import { wantedOf } from './verify/wanted-contents.ts';

/** One entry takes so many, and so much is in memory at once. */
const BATCH = 300;
const BATCH_BYTES = 8 * 1024 * 1024;

/** What became of the contents that stood under older keys. */
export interface ResealReport {
  readonly resealed: number;
  /** Could not be read; `employee verify` names them. */
  readonly unreadable: number;
}

interface Old {
  readonly content: BlobRef;
  readonly ring: Ring;
}

/**
 * Stores all contents again under the vault keys in force that stand in the blob store under older ones, those of
 * history included, and says so in the ledger: nothing needs the old objects then, and `employee gc` removes them.
 * Goes on where it was interrupted. What stands inside of entries cannot be sealed again.
 *
 * @param agent with the whole history.
 */
export async function resealContents(
  agent: Agent,
  progress: (done: number, total: number) => void,
): Promise<ResealReport> {
  const old = oldContents(agent);
  const bad = new Set<string>();
  let resealed = 0;
  for (const { ring, batch } of batchesOf(old)) {
    const moved: { from: string; to: BlobRef }[] = [];
    const sources: { readonly blob: string; readonly bytes: Uint8Array }[] = [];
    const wanted = batch.map((content) => ({ content, ring }));
    for await (const { index, bytes } of loadAll(agent, wanted)) {
      const blob = batch[index]?.blob ?? '';
      if (bytes) sources.push({ blob, bytes });
      else bad.add(blob);
    }
    const refs = await storeAll(
      agent,
      sources.map(({ bytes }) => ({ bytes, ring })),
      0,
    );
    for (const [index, { blob }] of sources.entries()) {
      const to = refs[index];
      if (to && 'blob' in to && to.blob !== blob) moved.push({ from: blob, to });
    }
    await agent.session.append((state) => {
      const open = moved.filter(({ from }) => !state.resealed.has(from));
      return open.length === 0 ? undefined : { ring, body: { kind: 'reseal', moved: open } };
    });
    resealed += moved.length;
    progress(resealed, old.length);
  }
  return { resealed, unreadable: bad.size };
}

/** Contents whose blob some entry of an older key epoch named: that is when it was sealed. */
function oldContents(agent: Agent): Old[] {
  const { keys, resealed } = agent.session.state;
  const found = new Map<string, Old>();
  const open = openBodies(agent);
  for (const entry of agent.copy.entries()) {
    if (entry.keyEpoch >= (keys?.keyEpoch ?? 0)) continue;
    const body = open(entry);
    for (const { content, ring } of body ? placesOf(entry, body) : []) {
      if (!('blob' in content) || resealed.has(content.blob)) continue;
      found.set(content.blob, { content, ring });
    }
  }
  return [...found.values()];
}

/** What an entry names, each with its own ring: a checkpoint has a part in both. */
function placesOf(
  entry: LedgerEntry,
  body: LedgerBody,
): { readonly content: ContentRef; readonly ring: Ring }[] {
  if (body.kind !== 'reseal') return wantedOf(entry, body);
  return body.moved.map(({ to }) => ({ content: to, ring: entry.ring }));
}

function* batchesOf(old: readonly Old[]): Generator<{ readonly ring: Ring; readonly batch: BlobRef[] }> {
  for (const ring of ['shared', 'private'] as const) {
    let batch: BlobRef[] = [];
    let sizeBytes = 0;
    for (const { content } of old.filter((one) => one.ring === ring)) {
      const isFull = batch.length >= BATCH || sizeBytes + content.sizeBytes > BATCH_BYTES;
      if (isFull && batch.length > 0) {
        yield { ring, batch };
        [batch, sizeBytes] = [[], 0];
      }
      batch.push(content);
      sizeBytes += content.sizeBytes;
    }
    if (batch.length > 0) yield { ring, batch };
  }
}
