import { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import { Host } from '../kernel/process.ts';
import type { Keyring } from '#protocol/seal.ts';
import { OWN_KEYRING, signingKeyOf, VAULT_ID } from '../world/keys.ts';
import type { World } from '../world/world.ts';

/** An entry with what it says, and what became of the tasks it speaks of. */
export interface WitnessedEntry {
  readonly entry: LedgerEntry;
  readonly body: LedgerBody;
  /** Nothing of it was refused. */
  readonly accepted: boolean;
  readonly tasks: readonly {
    readonly taskId: string;
    readonly before: TaskFacts;
    readonly after: TaskFacts;
  }[];
}

export type TaskFacts = Pick<TaskView, 'state' | 'epoch' | 'owner' | 'home'> | undefined;

/** What auditors ask a witness. */
export type WitnessView = Pick<Witness, 'entries' | 'ever' | 'turn' | 'read' | 'state' | 'broken'>;

/**
 * Somebody who sees every entry as it comes into the table and believes nobody: checks and replays it by the same rules
 * as all readers. Auditors ask it what the ledger says.
 */
export class Witness {
  readonly #world: World;
  #session: LedgerSession;
  /** Those that read the table up to the moment in which it was put back to another state. */
  readonly #before: LedgerSession[] = [];
  #entries: WitnessedEntry[] = [];
  readonly #ever = new Map<string, WitnessedEntry>();
  #read = new Set<unknown>();
  /** Why the ledger cannot be read any further. */
  broken: unknown;
  /** How often the table was put back, as far as this was looked at. */
  turn = 0;
  /** The keys of all epochs: those that are on the disk of the first machine, where they are made. */
  readonly #keyring: Keyring = [...OWN_KEYRING];

  constructor(world: World) {
    this.#world = world;
    this.#session = this.#begin();
  }

  #begin(): LedgerSession {
    const world = this.#world;
    const writer = {
      vaultId: VAULT_ID,
      writer: 'witness',
      signingKey: signingKeyOf('witness'),
      keyring: this.#keyring,
    };
    return new LedgerSession(writer, signingKeyOf('laptop').publicKey, {
      ledger: world.cloud.ledger,
      clock: new Host('witness').clock(world.kernel.scheduler),
      ids: createCountingIds('witness'),
    });
  }

  get state(): VaultState {
    this.entries();
    return this.#session.state;
  }

  /** How many entries are good, those that every reader refuses unread among them. */
  get read(): number {
    this.entries();
    return this.#session.state.head.n;
  }

  /** All that ever stood in the table, each once, also where the table was put back to a state before it. */
  ever(): readonly WitnessedEntry[] {
    this.entries();
    return [...this.#ever.values()];
  }

  /**
   * All entries that stand in the table now and whose bodies count as read. Where it was put back `turn` is another one,
   * and they are read afresh.
   */
  entries(): readonly WitnessedEntry[] {
    const { putBacks, cloud } = this.#world;
    if (this.turn !== putBacks.length) {
      this.#before.push(this.#session);
      [this.#session, this.#entries, this.#read] = [this.#begin(), [], new Set()];
      [this.turn, this.broken] = [putBacks.length, undefined];
    }
    if (this.#read.size === cloud.ledger.rows.length) return this.#entries;
    for (const row of cloud.ledger.rows) {
      if (this.#read.has(row)) continue;
      this.#read.add(row);
      this.#see(row.entry);
    }
    return this.#entries;
  }

  /** Keys are there before anything is sealed with them. */
  #learn(): void {
    for (const keys of this.#world.machines.get('laptop')?.keys.vaultKeys ?? [])
      if (!this.#keyring.some(({ keyEpoch }) => keyEpoch === keys.keyEpoch)) this.#keyring.push({ ...keys });
  }

  #see(stored: unknown): void {
    this.#learn();
    const { seen, error } = this.#admit(this.#session, stored);
    if (seen) this.#entries.push(seen);
    if (error !== undefined) this.broken ??= error;
    // Whoever has not heard that the table was cut goes on from an entry that is gone.
    const others = error === undefined ? [] : this.#before;
    const known = seen ?? others.map((session) => this.#admit(session, stored).seen).find(Boolean);
    if (known && !this.#ever.has(known.entry.sig)) this.#ever.set(known.entry.sig, known);
  }

  #admit(
    session: LedgerSession,
    stored: unknown,
  ): { readonly seen?: WitnessedEntry; readonly error?: unknown } {
    const { state } = session;
    const taskIds = [...taskIdsOf(stored, state)];
    const before = taskIds.map((taskId) => factsOf(state, taskId));
    const refusals = state.refusals.length;
    try {
      const { entry, body, inForce } = session.admit(structuredClone(stored));
      if (!body) {
        if (inForce) throw new Error(`entry ${entry.n} is sealed with keys that the laptop does not have`);
        return {};
      }
      const tasks = [...new Set([...taskIds, ...idsIn(body)])].map((taskId) => ({
        taskId,
        before: taskIds.includes(taskId) ? before[taskIds.indexOf(taskId)] : undefined,
        after: factsOf(state, taskId),
      }));
      return { seen: { entry, body, accepted: state.refusals.length === refusals, tasks } };
    } catch (error) {
      return { error };
    }
  }
}

/** Before an entry is opened its tasks are not known: all that there are. */
function* taskIdsOf(stored: unknown, state: VaultState): Generator<string> {
  const parsed = LedgerEntry.safeParse(stored);
  if (parsed.success && parsed.data.taskId !== undefined && parsed.data.kind !== 'task')
    yield parsed.data.taskId;
  else if (parsed.success && parsed.data.kind === 'task') yield* state.tasks.keys();
}

function idsIn(body: LedgerBody): string[] {
  return body.kind === 'task' ? body.changes.map(({ taskId }) => taskId) : [];
}

function factsOf({ tasks }: VaultState, taskId: string): TaskFacts {
  const task = tasks.get(taskId);
  if (!task) return undefined;
  const { state, epoch, owner, home } = task;
  return { state, epoch, home, ...(owner === undefined ? {} : { owner }) };
}

/**
 * The entries that were not looked at yet, each time it is asked; all of them again when the table was put back to
 * another state, of which `again` is told.
 */
export function newEntries(
  witness: WitnessView,
  again: () => void = () => undefined,
): () => WitnessedEntry[] {
  let looked = { turn: 0, count: 0 };
  return () => {
    const entries = witness.entries();
    if (looked.turn !== witness.turn) {
      looked = { turn: witness.turn, count: 0 };
      again();
    }
    const fresh = entries.slice(looked.count);
    looked.count = entries.length;
    return fresh;
  };
}
