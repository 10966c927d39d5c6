import type { Agent } from '../agent.ts';

/**
 * Forgets what vault and ledger last agreed on, for all files or for those named. Without it the next sync
 * has nothing to compare with: equal files are agreed on, missing ones come back, different ones are both
 * kept, and nothing is deleted on either side.
 */
export function forgetAgreed({ copy, session }: Agent, paths?: ReadonlySet<string>): void {
  copy.together(() => {
    for (const path of [...copy.allAgreed().keys()]) {
      if (!paths || paths.has(path)) copy.setAgreed(path, undefined);
    }
    // An approved note that is missing must not read as one that a person took out of `Approved/`.
    for (const taskId of session.state.tasks.keys()) {
      const note = copy.noteAt(taskId);
      if (note && (!paths || paths.has(note.path))) copy.setNoteAt(taskId, '', note.sha256, note.n);
    }
  });
}
