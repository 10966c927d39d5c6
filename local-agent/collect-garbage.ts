import { checkpointHintId } from '#protocol/checkpoint.ts';
import type { BlobRef } from '#protocol/content.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { contentsOf } from '#protocol/ledger-contents.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { StoredBlob } from '#protocol/ports.ts';
import { zoneOf } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { stopwatch } from './stopwatch.ts';
import { requireReadable, writerOf } from './writer.ts';

/** Never less: a blob is stored before the entry that names it, and a machine may sleep between the two. */
export const MIN_GRACE_MS = 24 * 60 * 60 * 1000;
/** Removed at a time; before each, what others wrote meanwhile is read. */
const BATCH = 500;
/** What was found longer ago may have been stored again and named since: the next run looks at it anew. */
const MAX_LOOK_MS = 60_000;

/** What was found in the blob store, and what became of it. */
export interface GarbageReport {
  /** Entries of the ledger, all read and checked. */
  readonly entries: number;
  /** Objects in the store, and how many of them some entry names. */
  readonly objects: number;
  readonly named: number;
  /** Named by no entry, and not old enough yet. */
  readonly waiting: number;
  /** Named by no entry, and old enough. */
  readonly garbage: readonly StoredBlob[];
  readonly garbageBytes: number;
  /** How many of these were removed. */
  readonly removed: number;
}

interface Options {
  readonly graceMs: number;
  /** Whether to remove anything. */
  readonly act: boolean;
}

/**
 * Finds the blobs and packs that no entry of the ledger names, and removes them if told to. All of the ledger
 * is read and checked first, so that nothing that any entry ever named is removed, refused entries and history
 * included.
 *
 * An object counts as old by the store's own clock: its age is measured at the latest moment that the store or
 * entries of the cloud zone give witness of, so that wrong clocks of the owner's machines make nothing old.
 *
 * @throws {LedgerIntegrityError} when the ledger is not whole, or not the one that this machine saw: then
 * nothing is removed.
 */
export async function collectGarbage(agent: Agent, options: Options): Promise<GarbageReport> {
  const names = new NamedObjects(agent);
  await names.read();
  const unnamed: StoredBlob[] = [];
  let objects = 0;
  let witness = names.latest;
  for await (const blob of agent.inventory.list()) {
    objects += 1;
    if (blob.storedAt > witness) witness = blob.storedAt;
    if (!names.has(blob.id)) unnamed.push(blob);
  }
  const nowMs = Math.min(Date.parse(witness), Date.parse(agent.clock.now()));
  const limit = new Date(nowMs - Math.max(options.graceMs, MIN_GRACE_MS)).toISOString();
  const garbage = unnamed.filter(({ storedAt }) => storedAt < limit);
  const removed = options.act && garbage.length > 0 ? await remove(agent, names, limit) : 0;
  return {
    entries: names.entries,
    objects,
    named: objects - unnamed.length,
    waiting: unnamed.length - garbage.length,
    garbage,
    garbageBytes: garbage.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    removed,
  };
}

/** Lists once more: what was stored again meanwhile is young, and about to be named. */
async function remove(agent: Agent, names: NamedObjects, limit: string): Promise<number> {
  let removed = 0;
  let batch: string[] = [];
  let age = stopwatch(agent.clock);
  const removeBatch = async (): Promise<void> => {
    await names.read();
    const ids = batch.filter((id) => !names.has(id));
    batch = [];
    // This machine may have slept since it looked.
    if (age() > MAX_LOOK_MS) return;
    await agent.inventory.remove(ids);
    removed += ids.length;
  };
  for await (const { id, storedAt } of agent.inventory.list()) {
    if (storedAt >= limit || names.has(id)) continue;
    if (batch.length === 0) age = stopwatch(agent.clock);
    batch.push(id);
    if (batch.length === BATCH) await removeBatch();
  }
  if (batch.length > 0) await removeBatch();
  return removed;
}

/** The objects that the ledger names, read afresh and checked from the first entry on. */
class NamedObjects {
  readonly #agent: Agent;
  readonly #session: LedgerSession;
  /** By object, the blobs of it that entries name. */
  readonly #objects = new Map<string, Set<string>>();
  #hint = '';
  /** When the last entry of the cloud zone was written, as that one says; long ago, if there is none. */
  latest = new Date(0).toISOString();

  constructor(agent: Agent) {
    this.#agent = agent;
    this.#session = new LedgerSession(writerOf(agent), agent.config.root, agent, (verified) => {
      requireReadable(verified);
      const { entry, body, hash } = verified;
      const known = agent.copy.hashOf(entry.n);
      if (known !== undefined && known !== hash) {
        throw new LedgerIntegrityError(entry.n, 'is not the one this machine saw before');
      }
      for (const content of body ? contentsOf(body) : []) {
        if ('blob' in content) this.#name(content);
      }
      // The owner's machines say what their own clocks say.
      const isCloud = zoneOf(this.#session.state, entry.writer) === 'cloud';
      if (isCloud && entry.at > this.latest) this.latest = entry.at;
    });
  }

  get entries(): number {
    return this.#session.state.head.n;
  }

  /** Whether some entry names it, or a blob in it, that was not stored again elsewhere since. */
  has(id: string): boolean {
    // No entry names it: it is written anew for each checkpoint.
    if (id === this.#hint) return true;
    const { resealed } = this.#session.state;
    return [...(this.#objects.get(id) ?? [])].some((blob) => !resealed.has(blob));
  }

  #name({ blob, pack }: BlobRef): void {
    const id = pack?.id ?? blob;
    const blobs = this.#objects.get(id) ?? new Set();
    this.#objects.set(id, blobs.add(blob));
  }

  async read(): Promise<void> {
    await this.#session.pull();
    this.#hint = checkpointHintId(writerOf(this.#agent));
    const last = this.#agent.copy.last();
    if (last <= this.entries) return;
    throw new LedgerIntegrityError(this.entries + 1, `is gone: this machine saw entries up to ${last}`);
  }
}
