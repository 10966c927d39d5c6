import { shortId } from '#protocol/ids.ts';
import type { Agent } from '../agent.ts';
import { errorText } from '../error-text.ts';
import { findTask } from '../find-task.ts';
import { OfflineClaimError } from './claim-errors.ts';
import { claimPlans } from './claim-plan.ts';
import { claimTask } from './claim-task.ts';
import { claimOffline } from './offline-claim.ts';
import { settleClaims } from './settle-claims.ts';

/**
 * Claims a task in the shared store or, where that does not answer and nobody else could do the same, on this
 * machine alone.
 *
 * @param prefix of the task's id.
 * @throws {ClaimRefusedError} {@link OfflineClaimError}, and what finding the task throws.
 */
export async function claimAnywhere(
  agent: Agent,
  prefix: string,
): Promise<{ readonly taskId: string; readonly offline: boolean }> {
  try {
    await agent.session.pull();
    await settleClaims(agent);
    const { taskId } = findTask(agent, prefix);
    await claimTask(agent, taskId);
    return { taskId, offline: false };
  } catch (error) {
    if (errorText(error).code !== 'UNREACHABLE') throw error;
    const { taskId } = findTask(agent, prefix);
    const begun = claimPlans(agent)[taskId];
    if (begun && !(begun.op === 'claim' && begun.offline)) {
      throw new OfflineClaimError(
        `the connection was lost while ${shortId(taskId)} changed hands (${begun.op}), and nobody here knows how ` +
          'that ended; "employee sync" settles it, and says so',
        { cause: error },
      );
    }
    await claimOffline(agent, taskId);
    return { taskId, offline: true };
  }
}
