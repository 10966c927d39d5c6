import { EmployeeError } from '#protocol/errors.ts';
import { foldName } from '#protocol/vault-path.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { ConflictView, TaskView, VaultState } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';

/** A version of a file, as the ledger has it. */
export interface VersionView {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** The entry that brought it; it stays there whatever becomes of the file. */
  readonly n: number;
}

/** Two versions of a file between which a person has to choose. */
export interface OpenConflict {
  /** The file, by the name that it has now. */
  readonly path: string;
  /** Where the other version is kept. */
  readonly copy: string;
  /** The machine whose version the copy is. */
  readonly writer: string;
  /** Whether that is this machine. */
  readonly isOurs: boolean;
  readonly at: string;
  readonly n: number;
  readonly kept: VersionView | null;
  /** What stands at the path; `null` when nothing does. */
  readonly standing: VersionView | null;
}

/** No open conflict, or more than one, is about what was named. */
export class ConflictNotFoundError extends EmployeeError {
  static override readonly code = 'CONFLICT_NOT_FOUND';
}

/** All open conflicts, the oldest first. */
export function openConflicts({
  config,
  session: { state },
}: Pick<Agent, 'config' | 'session'>): OpenConflict[] {
  return [...state.conflicts.values()]
    .sort((a, b) => a.n - b.n)
    .map((conflict) => {
      const path = placeOf(state, conflict);
      const { copy, writer, at, n } = conflict;
      const standing = versionAt(state, path);
      return {
        path,
        copy,
        writer,
        isOurs: writer === config.agent,
        at,
        n,
        kept: versionAt(state, copy),
        standing,
      };
    });
}

/**
 * The open conflict that a path names: the file's, or the copy's.
 *
 * @throws {ConflictNotFoundError}
 */
export function findConflict(agent: Pick<Agent, 'config' | 'session'>, name: string): OpenConflict {
  const wanted = foldName(name.replace(/^\.\//, '').replaceAll('\\', '/'));
  const all = openConflicts(agent);
  const found = all.filter(({ path, copy }) => foldName(path) === wanted || foldName(copy) === wanted);
  const exact = found.find(({ copy }) => foldName(copy) === wanted);
  const [first, second] = exact ? [exact] : found;
  if (!first) {
    throw new ConflictNotFoundError(
      `there is no open conflict about "${name}"; "employee conflicts" lists them by the path inside the vault`,
    );
  }
  if (second) {
    const copies = found.map(({ copy }) => copy).join('\n  ');
    throw new ConflictNotFoundError(
      `"${name}" has ${found.length} open conflicts; name one by its copy:\n  ${copies}`,
    );
  }
  return first;
}

/** A task's note moves with its task, and keeps its name for life. */
function placeOf(state: VaultState, { path }: ConflictView): string {
  const task = state.files.has(path) ? undefined : taskNamed(state, path);
  return (task && notePath(task)) ?? path;
}

/** The task whose note has the name that a path ends with. */
function taskNamed(state: VaultState, path: string): TaskView | undefined {
  const taskId = state.noteNames.get(foldName(path.slice(path.lastIndexOf('/') + 1)));
  return taskId === undefined ? undefined : state.tasks.get(taskId);
}

function versionAt(state: VaultState, path: string): VersionView | null {
  const file = state.files.get(path);
  if (file) return { sha256: file.content.sha256, sizeBytes: file.content.sizeBytes, n: file.contentN };
  const task = taskNamed(state, path);
  if (!task?.note || notePath(task) !== path) return null;
  const { sha256, sizeBytes } = task.note.content;
  return { sha256, sizeBytes, n: task.noteN ?? task.updatedN };
}
