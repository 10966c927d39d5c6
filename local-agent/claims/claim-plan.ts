import { z } from 'zod';
import { TaskId, WriterName } from '#protocol/ids.ts';
import type { Agent } from '../agent.ts';

const attemptId = z.string().min(1).max(100);
const epoch = z.int().nonnegative();

/** A change of a task's holder that this machine is about to make; durable before its first step. */
export const ClaimPlan = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('claim'),
    attemptId,
    /** Made on this machine's own store, because the shared one did not answer. */
    offline: z.boolean().default(false),
  }),
  z.object({ op: z.literal('release') }),
  z.object({ op: z.literal('transfer'), attemptId, epoch, newOwner: WriterName }),
  z.object({
    op: z.literal('takeover'),
    attemptId,
    epoch,
    /** `work`: the person wants the task here. `settle`: it only has to be nobody's any more. */
    want: z.enum(['work', 'settle']),
    reason: z.string().max(1000),
  }),
]);
export type ClaimPlan = z.infer<typeof ClaimPlan>;
/** The plan of one operation. */
export type PlanOf<Op extends ClaimPlan['op']> = Extract<ClaimPlan, { op: Op }>;

const NAME = 'claimPlans';
const Plans = z.record(TaskId, ClaimPlan).catch({});

/** What this machine had begun, by task. A plan that is still there was not carried to its end. */
export function claimPlans(agent: Pick<Agent, 'copy'>): Record<string, ClaimPlan> {
  const text = agent.copy.fact(NAME);
  return text === undefined ? {} : Plans.parse(JSON.parse(text));
}

/** Notes a plan, or that there is nothing left to do. */
export function setClaimPlan(agent: Pick<Agent, 'copy'>, taskId: string, plan: ClaimPlan | undefined): void {
  const { [taskId]: _before, ...others } = claimPlans(agent);
  agent.copy.setFact(NAME, JSON.stringify(plan ? { ...others, [taskId]: plan } : others));
}
