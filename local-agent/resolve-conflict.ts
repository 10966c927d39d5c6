import { sha256Hex } from '#protocol/canonical.ts';
import { EmployeeError } from '#protocol/errors.ts';
import type { FileChange } from '#protocol/ledger-body.ts';
import { refusalsOf } from '#protocol/replay-files.ts';
import { ringOf, taskFolderOf } from '#protocol/vault-path.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from './agent.ts';
import { accepted } from './append-change.ts';
import { findConflict } from './conflicts.ts';
import type { OpenConflict, VersionView } from './conflicts.ts';
import { load, store } from './contents.ts';
import { syncVault } from './sync/sync.ts';

/** Which version of a file stays: this machine's, the other one, or each under its own name. */
export type ConflictChoice = 'ours' | 'theirs' | 'both';

/** What became of a conflict. */
export interface Resolution {
  readonly path: string;
  readonly copy: string;
  readonly choice: ConflictChoice;
  /** Where the bytes that stay at the path came from. */
  readonly chosen: 'copy' | 'path' | 'both';
  readonly writer: string;
  /** The entry in which the person's choice is signed. */
  readonly n: number;
  /** The version that has no place in the vault any more; `null` when each has one, or there was none. */
  readonly superseded: VersionView | null;
  /** The copy is a file of its own from now on: both stay, or somebody had worked on it. */
  readonly copyStays: boolean;
}

/** The choice could not be carried out; the message says why. Nothing was lost, and it may be tried again. */
export class ConflictChangedError extends EmployeeError {
  static override readonly code = 'CONFLICT_CHANGED';
}

/**
 * Settles a conflict as a person decided: first the chosen bytes come to the path, by an entry of their own,
 * then the choice itself is signed, with which the copy goes. Dying between the two leaves the conflict open,
 * and the same command goes on from there. The vault is brought in step before and after.
 *
 * @param name the path of the file, or of the copy.
 * @throws {ConflictNotFoundError} {@link ConflictChangedError}
 */
export async function resolveConflict(
  agent: Agent,
  name: string,
  choice: ConflictChoice,
): Promise<Resolution> {
  await syncVault(agent);
  const conflict = findConflict(agent, name);
  const { path, copy, isOurs, writer, kept, standing } = conflict;
  const chosen = choice === 'both' ? 'both' : (choice === 'ours') === isOurs ? 'copy' : 'path';
  if (chosen === 'copy') await putCopy(agent, conflict);
  const outcome = await agent.session.append(({ conflicts }) =>
    conflicts.has(copy)
      ? {
          ring: 'private',
          body: {
            kind: 'override',
            reason: reasonOf(conflict, choice),
            what: { of: 'conflict', copy, choice },
          },
        }
      : undefined,
  );
  if (!outcome.appended)
    throw new ConflictChangedError(`the conflict about ${path} was settled elsewhere meanwhile`);
  await syncVault(agent);
  const superseded = chosen === 'both' ? null : chosen === 'copy' ? standing : kept;
  const copyStays = agent.session.state.files.has(copy);
  return { path, copy, choice, chosen, writer, n: outcome.entry.n, superseded, copyStays };
}

/** Brings the bytes of the copy to the path. */
async function putCopy(agent: Agent, { path, copy, standing }: OpenConflict): Promise<void> {
  const file = agent.session.state.files.get(copy);
  if (!file) throw new ConflictChangedError(`${copy} is gone; nothing was changed`);
  if (standing?.sha256 === file.content.sha256) return;
  const bytes = await load(agent, file.content, file.ring);
  if (taskFolderOf(path)) return editNote(agent, path, bytes);
  const why = ringOf(path) === 'shared' ? withheldContent(bytes) : undefined;
  if (why !== undefined) throw new ConflictChangedError(`${copy} cannot be shared: ${why}`);
  const content = await store(agent, bytes, ringOf(path));
  const change: FileChange = { op: 'put', path, content, ...(standing ? { base: standing.sha256 } : {}) };
  const ring = ringOf(path);
  const outcome = await agent.session.append(({ files }) =>
    refusalsOf(files, ring, [change], 'local').some((refused) => refused !== undefined)
      ? undefined
      : { ring, body: { kind: 'files', changes: [change] } },
  );
  if (outcome.appended && accepted(agent.session.state, outcome.entry.n)) return;
  throw new ConflictChangedError(
    `${path} changed meanwhile; look at it with "employee conflicts" and choose again`,
  );
}

/** A task's note takes the bytes as the person's edit of it, with all that an edit entails. */
async function editNote(agent: Agent, path: string, bytes: Uint8Array): Promise<void> {
  const present = await agent.files.read(path);
  if (present && (await agent.files.write(path, bytes, sha256Hex(present))) === 'written') {
    await syncVault(agent);
    const now = await agent.files.read(path);
    if (now && sha256Hex(now) === sha256Hex(bytes)) return;
  }
  throw new ConflictChangedError(`${path} cannot take that version now; see "employee show" for its state`);
}

function reasonOf({ path, writer }: OpenConflict, choice: ConflictChoice): string {
  const what = choice === 'both' ? 'kept both versions' : `kept ${choice}`;
  return `${what} of ${path} (the copy was the version of ${writer})`.slice(0, 2000);
}
