import { z } from 'zod';
import { Approval } from './approval.ts';
import { BlobRef, ContentRef } from './content.ts';
import { Instant, Sha256, TaskId, WriterName } from './ids.ts';
import { MailRecord } from './mail.ts';
import { PublicKey } from './signing.ts';
import { TaskEvent, Zone } from './task.ts';
import { NoteName, VaultPath } from './vault-path.ts';

/** A note of a task: its file name (the folder follows from the task's state) and its bytes. */
export const NoteRef = z.strictObject({ name: NoteName, content: ContentRef });
export type NoteRef = z.infer<typeof NoteRef>;

const Reason = z.string().max(2000);

/** Something happened to a task. `created` makes it, with the state that triage decided. */
export const TaskChange = z.strictObject({
  taskId: TaskId,
  epoch: z.int().nonnegative(),
  event: z.union([z.literal('created'), TaskEvent]),
  owner: WriterName.optional(),
  reason: Reason.optional(),
  note: NoteRef.optional(),
  mail: MailRecord.optional(),
  warnings: z.array(z.string().max(100)).max(50).optional(),
  /** Only with `created`. */
  state: z.enum(['needs_action', 'ignored', 'quarantined']).optional(),
  home: Zone.optional(),
});
export type TaskChange = z.infer<typeof TaskChange>;

/**
 * A change of one file of the vault that is not a task's note. `base` is the hash it was made upon. `merged`
 * is the writer's own version where `content` is a merge of it, so that history has every version.
 */
export const FileChange = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('put'),
    path: VaultPath,
    base: Sha256.optional(),
    content: ContentRef,
    merged: ContentRef.optional(),
  }),
  z.strictObject({
    op: z.literal('move'),
    path: VaultPath,
    to: VaultPath,
    base: Sha256,
    /** Set when the file was edited as well. */
    content: ContentRef.optional(),
    merged: ContentRef.optional(),
  }),
  z.strictObject({ op: z.literal('delete'), path: VaultPath, base: Sha256 }),
]);
export type FileChange = z.infer<typeof FileChange>;

/** The keys in force: who may sign as whom, and who may approve. The first entry of every ledger. */
const KeysBody = z.strictObject({
  kind: z.literal('keys'),
  keyEpoch: z.int().positive(),
  writers: z
    .array(
      z.strictObject({
        writer: WriterName,
        zone: Zone,
        publicKey: PublicKey,
        /** The key before this one, while both are in use. */
        oldKey: PublicKey.optional(),
      }),
    )
    .min(1)
    .max(100),
  approvers: z.array(z.strictObject({ approver: z.string().max(100), publicKey: PublicKey })).max(100),
  /** With a new key epoch: its vault keys, each sealed with the same ring's key of the epoch before. */
  wrapped: z.strictObject({ shared: z.base64().max(1000), private: z.base64().max(1000) }).optional(),
});
export type KeysBody = z.infer<typeof KeysBody>;

const TaskBody = z.strictObject({ kind: z.literal('task'), changes: z.array(TaskChange).min(1).max(200) });
const FilesBody = z.strictObject({ kind: z.literal('files'), changes: z.array(FileChange).min(1).max(1000) });

const ClaimBody = z.strictObject({
  kind: z.literal('claim'),
  event: z.enum(['claimed', 'released', 'transferred', 'taken_over']),
  owner: WriterName.optional(),
  reason: Reason.optional(),
});

const ApprovalBody = z.strictObject({
  kind: z.literal('approval'),
  approval: Approval,
  /** The very bytes that were approved. */
  note: NoteRef,
});

/** An effect is about to be tried. Consumes the approval's nonce. */
const IntentBody = z.strictObject({
  kind: z.literal('intent'),
  owner: WriterName,
  nonce: z.string().min(16).max(100),
  actionsDigest: Sha256,
  actionIndex: z.int().nonnegative(),
  tool: z.string().max(200),
  idempotencyKey: z.string().max(200),
});

/** How a tried effect ended. `indeterminate`: it may or may not have happened, and nobody here knows. */
export const Outcome = z.enum(['succeeded', 'failed', 'indeterminate']);
export type Outcome = z.infer<typeof Outcome>;

const ResultBody = z.strictObject({
  kind: z.literal('result'),
  intentN: z.int().positive(),
  outcome: Outcome,
  providerId: z.string().max(300).optional(),
  detail: Reason.optional(),
  /** The note as it is filed, when the result is written into it. */
  note: NoteRef.optional(),
});

const DeliveryBody = z.strictObject({
  kind: z.literal('delivery'),
  event: z.enum(['delivered', 'bounced', 'complained', 'delayed', 'rejected']),
  providerId: z.string().max(300),
  happenedAt: Instant,
});

/** Two versions of one file could not be merged: the writer's own is kept as `copy`, the other stays at `path`. */
const ConflictBody = z.strictObject({
  kind: z.literal('conflict'),
  path: VaultPath,
  copy: VaultPath,
  /** What `copy` holds. */
  content: ContentRef,
  /** The hash that stood at `path` for everybody else; absent when it was gone. */
  theirs: Sha256.optional(),
});

/** A person's decision against what the rules say by themselves. */
const OverrideBody = z.strictObject({
  kind: z.literal('override'),
  reason: Reason,
  what: z.discriminatedUnion('of', [
    /**
     * A conflict is settled; `copy` names it, and goes unless both are kept. What stands at the path itself
     * is changed by its own entry before this one.
     */
    z.strictObject({
      of: z.literal('conflict'),
      copy: VaultPath,
      choice: z.enum(['ours', 'theirs', 'both']),
    }),
    /** Refused entries were looked at and are known: `verify` lists them and no longer fails for them. */
    z.strictObject({ of: z.literal('incident'), entries: z.array(z.int().positive()).min(1).max(1000) }),
    /** Something was mended by `employee repair`. */
    z.strictObject({ of: z.literal('repair'), code: z.string().max(100), path: VaultPath.optional() }),
  ]),
});

/** The state up to entry `upTo`, so that a reader that begins need not replay what came before. */
const CheckpointBody = z.strictObject({
  kind: z.literal('checkpoint'),
  upTo: z.int().positive(),
  /** Of entry `upTo`. */
  hash: Sha256,
  /** The rules that made the snapshots of it: `REPLAY_VERSION`. */
  replay: z.int().positive(),
  /** What the cloud zone may know, sealed for both. */
  shared: ContentRef,
  /** All of it, sealed for the owner's machines: never inline, for the cloud zone reads this entry. */
  private: BlobRef,
});

/** Contents that were stored again under the keys in force, by the blob that held them before. */
const ResealBody = z.strictObject({
  kind: z.literal('reseal'),
  moved: z
    .array(z.strictObject({ from: Sha256, to: BlobRef }))
    .min(1)
    .max(1000),
});

/** What an entry says, once opened. */
export const LedgerBody = z.discriminatedUnion('kind', [
  KeysBody,
  TaskBody,
  FilesBody,
  ClaimBody,
  ApprovalBody,
  IntentBody,
  ResultBody,
  DeliveryBody,
  ConflictBody,
  OverrideBody,
  CheckpointBody,
  ResealBody,
]);
export type LedgerBody = z.infer<typeof LedgerBody>;
export type LedgerKind = LedgerBody['kind'];
