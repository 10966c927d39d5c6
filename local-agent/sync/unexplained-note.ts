import { sha256Hex } from '#protocol/canonical.ts';
import type { NoteRef } from '#protocol/ledger-body.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { store } from '../contents.ts';
import { explained } from './note-text.ts';

/**
 * The note of a task that has come to its end, without what it explained on the way. `undefined` where it
 * explains nothing, or where what stands in the vault is not what the ledger has: an edit comes first.
 */
export async function unexplainedNote(
  agent: Agent,
  task: TaskView,
  path: string,
): Promise<NoteRef | undefined> {
  const { note } = task;
  const bytes = note && (await agent.files.read(path));
  if (!bytes || sha256Hex(bytes) !== note.content.sha256) return undefined;
  const plain = explained(bytes, undefined);
  if (plain.byteLength === bytes.byteLength) return undefined;
  return { name: note.name, content: await store(agent, plain, 'shared') };
}
