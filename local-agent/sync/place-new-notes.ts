import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';
import type { Zone } from '#protocol/task.ts';
import { notePath, zoneOf } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { loadAll } from '../load-all.ts';
import type { NotesReport } from './notes-report.ts';

const WRITES_AT_ONCE = 16;

/** A note that stands in the vault now, as it is noted in the copy. */
export interface NewNote {
  readonly task: TaskView;
  readonly path: string;
  readonly sha256: string;
  readonly n: number;
  readonly fileId: string;
}

/**
 * Writes the notes of tasks that have none in this vault and never had, many at once: a new machine has
 * thousands of them. Each waits for the disk, so one after the other would take minutes.
 *
 * @returns those that are written; whatever is in the way of the others is for `placeNote` to find out.
 */
export async function placeNewNotes(
  agent: Agent,
  tasks: readonly TaskView[],
  report: NotesReport,
): Promise<NewNote[]> {
  const placed: NewNote[] = [];
  const writing = new Set<Promise<void>>();
  const wanted = tasks.flatMap((task) =>
    task.note ? { task, content: task.note.content, ring: 'shared' as const } : [],
  );
  const failures: unknown[] = [];
  const zones = new Map<number, Zone>();
  const zoneOfEntry = (n: number): Zone => {
    const zone = zones.get(n) ?? zoneOf(agent.session.state, agent.copy.entryAt(n)?.writer ?? '') ?? 'local';
    zones.set(n, zone);
    return zone;
  };
  const write = async (task: TaskView, bytes: Uint8Array, sha256: string, n: number): Promise<void> => {
    const path = notePath(task) ?? '';
    if ((await agent.files.write(path, bytes, null)) === 'changed') return;
    const fileId = (await agent.files.stat(path))?.fileId ?? '';
    placed.push({ task, path, sha256, n, fileId });
    report.applied += 1;
    report.changes.push({
      direction: 'in',
      op: 'put',
      path,
      zone: zoneOfEntry(task.updatedN),
      taskId: task.taskId,
    });
  };
  try {
    for await (const { index, bytes } of loadAll(agent, wanted)) {
      const { task, content } = wanted[index] ?? {};
      if (!task || !content || !bytes) continue;
      const one = write(task, bytes, content.sha256, task.noteN ?? 0)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => writing.delete(one));
      writing.add(one);
      if (writing.size >= WRITES_AT_ONCE) await Promise.race(writing);
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(writing);
  for (const error of failures) {
    if (!(error instanceof EmployeeError) || error instanceof LedgerIntegrityError) throw error;
  }
  return placed;
}
