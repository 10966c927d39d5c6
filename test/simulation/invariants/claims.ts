import type { ClaimAnswer, ClaimRequest, TakeoverRequest, TransferRequest } from '#protocol/claim.ts';
import type { Task } from '#protocol/task.ts';
import type { Call } from '../kernel/fate.ts';
import type { Step } from '../kernel/kernel.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';

type Item = Pick<Task, 'owner' | 'epoch' | 'heartbeat' | 'attemptId' | 'version'>;

/**
 * Invariant 7 in the task store, as a check of linearizability: each call takes effect at one moment between its request
 * and its reply, so the history of a task is right if every answer, in the order of those moments, is one that the
 * plainest possible register would give.
 */
export function auditClaims(world: World): Auditor {
  /** The item of the call that takes effect now, as it stood before. */
  let before: Item | undefined;
  const itemOf = ({ args }: Call): Item | undefined => world.cloud.tasks.items.get(taskIdOf(args));

  function check(step: Step): void {
    const { method, args, result, process } = step;
    const taskId = taskIdOf(args);
    const after = itemOf(step);
    if (method === 'get' || method === 'begin' || !after) return;
    const { won } = result as ClaimAnswer;
    const where = `${method} of ${taskId} by ${process.name}`;
    requireThat(
      after.epoch >= (before?.epoch ?? 0) || method === 'mend',
      '7',
      () => `${where}: the epoch falls from ${before?.epoch ?? 0} to ${after.epoch}`,
    );
    requireThat(
      !won || after.version === (before?.version ?? 0) + 1,
      '7',
      () => `${where}: two changes in one`,
    );
    requireThat(
      won || after.version === (before?.version ?? 0),
      '7',
      () => `${where} changed the item and said that it did not`,
    );
    const wrong = won ? whyWrong(method, args[0], before, after) : undefined;
    requireThat(wrong === undefined, '7', () => `${where}: ${wrong ?? ''}`);
  }

  return {
    begin: (call) => {
      if (call.port === 'tasks') before = itemOf(call);
    },
    step: (step) => {
      if (step.port === 'tasks' && step.error === undefined) check(step);
    },
  };
}

function taskIdOf(args: readonly unknown[]): string {
  const request = args[0] as string | { readonly taskId: string };
  return typeof request === 'string' ? request : request.taskId;
}

/** What a register that knows an owner, an epoch and a heartbeat would not have answered. */
function whyWrong(method: string, made: unknown, before: Item | undefined, after: Item): string | undefined {
  switch (method) {
    case 'claim': {
      const { owner, attemptId } = made as ClaimRequest;
      const isOwn = before?.owner === owner && before.attemptId === attemptId;
      if (before?.owner !== undefined && !isOwn) return `taken from ${before.owner} without asking`;
      if (after.epoch <= (before?.epoch ?? 0)) return 'claimed without a new epoch';
      return after.owner === owner ? undefined : 'claimed for somebody else';
    }
    case 'takeover': {
      const { seen, owner } = made as TakeoverRequest;
      const stood =
        before?.owner === seen.owner && before.epoch === seen.epoch && before.heartbeat === seen.heartbeat;
      if (!stood) return 'taken over from a holder that moved';
      return after.epoch > seen.epoch && after.owner === owner ? undefined : 'taken over without a new epoch';
    }
    case 'renew':
    case 'release':
    case 'transfer': {
      const { owner, epoch } = made as TransferRequest;
      if (before?.owner !== owner || before.epoch !== epoch) return 'done by somebody who does not hold it';
      return method === 'transfer' && after.epoch <= epoch ? 'handed over without a new epoch' : undefined;
    }
    case 'settle':
      return before?.owner === undefined ? undefined : `settled over the head of ${before.owner}`;
    default:
      return undefined;
  }
}
