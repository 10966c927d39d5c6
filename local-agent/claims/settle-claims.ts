import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';
import { shortId } from '#protocol/ids.ts';
import type { Agent } from '../agent.ts';
import { claimPlans } from './claim-plan.ts';
import type { ClaimPlan } from './claim-plan.ts';
import { finishClaim } from './claim-task.ts';
import { forgetOffline } from './offline-claim.ts';
import { finishRelease, finishTransfer } from './release-task.ts';
import { finishTakeover } from './take-over.ts';

/**
 * Carries to its end whatever this machine had begun with the holders of tasks: after a crash, and after
 * claims that were made offline. The ledger has to be read before.
 *
 * @returns what the person should know.
 */
export async function settleClaims(agent: Agent): Promise<string[]> {
  const told: string[] = [];
  for (const [taskId, plan] of Object.entries(claimPlans(agent))) {
    try {
      const words = await settle(agent, taskId, plan);
      if (words !== undefined) told.push(words);
    } catch (error) {
      if (!(error instanceof EmployeeError) || error instanceof LedgerIntegrityError) throw error;
      told.push(`the claim of ${shortId(taskId)} is not settled yet: ${error.message}`);
    }
  }
  return told;
}

async function settle(agent: Agent, taskId: string, plan: ClaimPlan): Promise<string | undefined> {
  switch (plan.op) {
    case 'claim': {
      const outcome = await finishClaim(agent, taskId, plan);
      if (plan.offline) await forgetOffline(agent, taskId);
      if (outcome.done) {
        const what = plan.offline ? 'what you claimed offline' : 'the claim that was begun here';
        return `${shortId(taskId)}: ${what} is yours`;
      }
      return `${shortId(taskId)}: your claim did not hold: ${outcome.why}. Its note is put back`;
    }
    case 'release':
      await finishRelease(agent, taskId);
      return undefined;
    case 'transfer':
      await finishTransfer(agent, taskId, plan);
      return undefined;
    case 'takeover':
      return finishTakeover(agent, taskId, plan);
  }
}
