import { actionsDigest } from '#protocol/action.ts';
import type { Action, ActionAttachment } from '#protocol/action.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import { actionsOf } from '#protocol/note-actions.ts';
import { parseNote } from '#protocol/note.ts';
import type { Note } from '#protocol/note.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { withheldContent, withheldPath } from '#protocol/withheld.ts';
import type { Agent } from './agent.ts';

/** What a note stands for, computed from its bytes: the only source of what is shown, approved and run. */
export interface Plan {
  readonly note: Note;
  readonly bytes: Uint8Array;
  readonly noteDigest: string;
  readonly actions: readonly Action[];
  readonly actionsDigest: string;
}

/**
 * Reads the plan out of a note's bytes and the task's mail record.
 *
 * @throws {NoteFormatError} when the note is of another task, or cannot be carried out as it stands.
 */
export async function planOf(agent: Agent, task: TaskView, bytes: Uint8Array): Promise<Plan> {
  const note = parseNote(utf8(bytes));
  if (note.front.task !== task.taskId) {
    throw new NoteFormatError(`the note says it is of task ${note.front.task}, not of ${task.taskId}`);
  }
  const attachments = await Promise.all(
    (note.front.attachments ?? []).map((path) => attachment(agent, path)),
  );
  const actions = actionsOf(note, { from: agent.config.stack.fromAddress, mail: task.mail, attachments });
  return { note, bytes, noteDigest: sha256Hex(bytes), actions, actionsDigest: actionsDigest(actions) };
}

async function attachment(agent: Agent, path: string): Promise<ActionAttachment> {
  const why = withheldPath(path);
  if (why !== undefined) throw new NoteFormatError(`the attachment ${path} stays on this machine: ${why}`);
  const bytes = await agent.files.read(path).catch((cause: unknown) => {
    throw new NoteFormatError(
      `the attachment ${JSON.stringify(path)} cannot be read as a file of the vault`,
      { cause },
    );
  });
  if (!bytes) throw new NoteFormatError(`the attachment ${path} is not in the vault`);
  const secret = withheldContent(bytes);
  if (secret !== undefined)
    throw new NoteFormatError(`the attachment ${path} stays on this machine: ${secret}`);
  return { path, sha256: sha256Hex(bytes), sizeBytes: bytes.byteLength };
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new NoteFormatError('the note is not UTF-8 text', { cause });
  }
}
