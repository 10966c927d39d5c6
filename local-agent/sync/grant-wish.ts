import { EmployeeError } from '#protocol/errors.ts';
import type { Agent } from '../agent.ts';
import { approveTask } from '../approve.ts';
import { rejectTask } from '../reject.ts';
import { explainNote } from './explain-note.ts';
import { refusedWish } from './note-words.ts';
import { placeNote } from './place-note.ts';
import type { Wish } from './wishes.ts';

/**
 * Does what a move asked for. Otherwise the note goes back, and says why.
 *
 * @returns what became of it, in words; they begin with `not done` when nothing did.
 */
export async function grantWish(agent: Agent, wish: Wish): Promise<string> {
  try {
    if (wish.wish === 'reject') {
      await rejectTask(agent, wish.taskId, 'moved to Rejected/ by hand', wish.path);
      return 'rejected';
    }
    await approveTask(agent, wish.taskId, { method: 'move', path: wish.path, digest: wish.hash });
    return 'approved';
  } catch (error) {
    if (!(error instanceof EmployeeError)) throw error;
    const task = agent.session.state.tasks.get(wish.taskId);
    if (task) {
      if (task.state === 'pending_approval')
        await explainNote(agent, task, refusedWish(wish.wish, error.message));
      await placeNote(agent, task, wish.path);
    }
    return `not done: ${error.message}`;
  }
}
