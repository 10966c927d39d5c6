import { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import { Host } from '../kernel/process.ts';
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
export type WitnessView = Pick<Witness, 'entries' | 'state' | 'broken'>;

/**
 * Somebody who sees every entry as it comes into the table and believes nobody: checks and replays it by the same rules
 * as all readers. Auditors ask it what the ledger says.
 */
export class Witness {
  readonly #world: World;
  readonly #session: LedgerSession;
  readonly #entries: WitnessedEntry[] = [];
  /** Why the ledger cannot be read any further. */
  broken: unknown;
  #to = 0;

  constructor(world: World) {
    this.#world = world;
    const writer = {
      vaultId: VAULT_ID,
      writer: 'witness',
      signingKey: signingKeyOf('witness'),
      keyring: [...OWN_KEYRING],
    };
    this.#session = new LedgerSession(writer, signingKeyOf('laptop').publicKey, {
      ledger: world.cloud.ledger,
      clock: new Host('witness').clock(world.kernel.scheduler),
      ids: createCountingIds('witness'),
    });
  }

  get state(): VaultState {
    this.entries();
    return this.#session.state;
  }

  /** All entries up to now. */
  entries(): readonly WitnessedEntry[] {
    const { rows } = this.#world.cloud.ledger;
    while (this.#to < rows.length && this.broken === undefined) this.#admit(rows[this.#to++]?.entry);
    return this.#entries;
  }

  #admit(stored: unknown): void {
    const { state } = this.#session;
    const taskIds = [...taskIdsOf(stored, state)];
    const before = taskIds.map((taskId) => factsOf(state, taskId));
    const refusals = state.refusals.length;
    try {
      const { entry, body } = this.#session.admit(structuredClone(stored));
      if (!body) return;
      const tasks = [...new Set([...taskIds, ...idsIn(body)])].map((taskId) => ({
        taskId,
        before: taskIds.includes(taskId) ? before[taskIds.indexOf(taskId)] : undefined,
        after: factsOf(state, taskId),
      }));
      this.#entries.push({ entry, body, accepted: state.refusals.length === refusals, tasks });
    } catch (error) {
      this.broken = error;
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
