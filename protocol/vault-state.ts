import type { Approval } from './approval.ts';
import type { BlobRef, HeldContent } from './content.ts';
import { GENESIS_PREV } from './ledger-entry.ts';
import type { LedgerHead } from './ledger-entry.ts';
import type { KeysBody, NoteRef, Outcome } from './ledger-body.ts';
import type { MailRecord } from './mail.ts';
import type { TaskState, Zone } from './task.ts';
import { folderOf } from './vault-path.ts';

export { foldName } from './vault-path.ts';

/** A task as the ledger tells it. */
export interface TaskView {
  readonly taskId: string;
  state: TaskState;
  epoch: number;
  home: Zone;
  owner?: string;
  note?: NoteRef;
  /** The entry that brought the bytes of the note. */
  noteN?: number;
  mail?: MailRecord;
  warnings: readonly string[];
  /** Why it stands where it stands, in words for the person. */
  reason?: string;
  /** What was last done against the person's hand, such as putting the note back. The note says it too. */
  explained?: string;
  /** Set while a voided approval waits to be given again: what changed. */
  voided?: string;
  /** `writer`: the machine on which it was given, and which alone executes it. */
  approval?: {
    readonly n: number;
    readonly writer: string;
    readonly approval: Approval;
    readonly note: NoteRef;
  };
  intent?: { readonly n: number; readonly actionIndex: number; readonly idempotencyKey: string };
  result?: {
    readonly n: number;
    readonly outcome: Outcome;
    readonly providerId?: string;
    readonly detail?: string;
  };
  /** An execution was tried and did not certainly succeed: it takes more than a plain yes to try again. */
  tried?: Outcome;
  deliveries: { readonly n: number; readonly event: string; readonly at: string }[];
  readonly createdAt: string;
  readonly createdN: number;
  updatedAt: string;
  updatedN: number;
}

/** A file of the vault that is not a task's note. */
export interface FileView {
  /** Names the file for as long as it lives, whatever its path: `<entry>.<change>` of its first put. */
  readonly id: string;
  /** Without the bytes of a private file, which the cloud cannot read and this machine has in its copy. */
  readonly content: HeldContent;
  /** The entry that brought the bytes. */
  readonly contentN: number;
  readonly ring: 'shared' | 'private';
  /** The entry that changed the file last. */
  readonly n: number;
}

/** Two versions of a file of which a person has to choose; named by the path of the copy. */
export interface ConflictView {
  readonly path: string;
  readonly copy: string;
  /** The machine whose version the copy is. */
  readonly writer: string;
  readonly ours: string;
  readonly theirs?: string;
  readonly n: number;
  readonly at: string;
}

/** An entry, or a part of one, that readers refused: nothing of it took effect. */
export interface Refusal {
  readonly n: number;
  readonly writer: string;
  readonly taskId?: string;
  /** `incident`: nobody honest writes this. `late`: lost a race; harmless. */
  readonly severity: 'incident' | 'late';
  readonly code:
    | 'zone'
    | 'forged-approval'
    | 'stale-epoch'
    | 'illegal-transition'
    | 'approval-mismatch'
    | 'nonce-used'
    | 'unknown-task'
    | 'duplicate'
    | 'stale-base'
    | 'old-keys';
  readonly message: string;
}

/** Since when a key epoch is in force. */
export interface EpochStart extends LedgerHead {
  readonly at: string;
}

/** The newer place of contents, and the ring of the entry that named it. */
export interface Resealed extends Pick<BlobRef, 'blob' | 'pack'> {
  readonly ring: 'shared' | 'private';
}

/** Everything that follows from the ledger up to `head`. */
export interface VaultState {
  readonly vaultId: string;
  head: LedgerHead;
  keys?: KeysBody;
  /** The writer of the first entry: the one machine that may begin a key epoch. */
  founder?: string;
  /** The entry with which the vault keys in force came. */
  epochStart?: EpochStart;
  /** Where contents are now, by the blob that held them before they were stored again under newer keys. */
  readonly resealed: Map<string, Resealed>;
  readonly tasks: Map<string, TaskView>;
  readonly files: Map<string, FileView>;
  /** Whose note bears a name (folded as file systems fold): one name, one task, for good. */
  readonly noteNames: Map<string, string>;
  /** Nonces of every approval ever accepted, and whether an intent has consumed them. */
  readonly nonces: Map<string, 'open' | 'consumed'>;
  /** Every effect that was begun, by its idempotency key, and when. */
  readonly effects: Map<string, string>;
  readonly refusals: Refusal[];
  /** Open conflicts by the path of their copy. */
  readonly conflicts: Map<string, ConflictView>;
  /** Entries whose refusal a person has looked at and acknowledged. */
  readonly acknowledged: Set<number>;
  /** The last checkpoint's entry. */
  checkpointN?: number;
}

/** The state before the first entry. */
export function emptyVaultState(vaultId: string): VaultState {
  return {
    vaultId,
    head: { n: 0, hash: GENESIS_PREV },
    resealed: new Map(),
    tasks: new Map(),
    files: new Map(),
    noteNames: new Map(),
    nonces: new Map(),
    effects: new Map(),
    refusals: [],
    conflicts: new Map(),
    acknowledged: new Set(),
  };
}

/** The path of a task's note, or `undefined` for a task without one. */
export function notePath(task: Pick<TaskView, 'state' | 'owner' | 'note'>): string | undefined {
  const folder = folderOf(task);
  return folder === undefined || !task.note ? undefined : `${folder}/${task.note.name}`;
}

/** The vault as the ledger tells it: path → contents, tasks' notes and other files together. */
export function vaultTree(state: VaultState): Map<string, HeldContent> {
  const tree = new Map<string, HeldContent>();
  for (const task of state.tasks.values()) {
    const path = notePath(task);
    if (path !== undefined && task.note) tree.set(path, task.note.content);
  }
  for (const [path, file] of state.files) tree.set(path, file.content);
  return tree;
}

/** The zone of a writer by the keys in force. */
export function zoneOf(state: VaultState, writer: string): Zone | undefined {
  return state.keys?.writers.find((known) => known.writer === writer)?.zone;
}
