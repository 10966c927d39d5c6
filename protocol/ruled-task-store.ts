import {
  decideClaim,
  decideMend,
  decideRelease,
  decideRenew,
  decideSettle,
  decideSuspect,
  decideTakeover,
  decideTransfer,
} from './claim.ts';
import type { ClaimAnswer } from './claim.ts';
import type { TaskStore } from './ports.ts';
import type { Task } from './task.ts';

/** A rule of claims: what becomes of an item, or of none. */
export type ClaimRule = (task: Task | undefined) => ClaimAnswer;

/** What a store without a language for conditions has to offer. */
export interface ItemStore {
  readonly get: (taskId: string) => Promise<Task | undefined>;
  /** Applies the rule to the item as it stands, in one step that nobody else can get into. */
  readonly decide: (taskId: string, rule: ClaimRule) => Promise<ClaimAnswer>;
}

/** A task store that applies the pure rules themselves. */
export function createRuledTaskStore({ get, decide }: ItemStore): TaskStore {
  return {
    get,
    begin: async (taskId) => {
      const answer = await decide(taskId, (task) =>
        task && task.state !== 'received' ? { won: false } : { won: true, task: received(taskId, task) },
      );
      return answer.won;
    },
    settle: (taskId, event, home) => decide(taskId, (task) => decideSettle(task, event, home)),
    claim: (request) => decide(request.taskId, (task) => decideClaim(task, request)),
    renew: (proof) => decide(proof.taskId, (task) => decideRenew(task, proof)),
    release: (request) => decide(request.taskId, (task) => decideRelease(task, request)),
    transfer: (request) => decide(request.taskId, (task) => decideTransfer(task, request)),
    takeover: (request) => decide(request.taskId, (task) => decideTakeover(task, request)),
    suspect: (request) => decide(request.taskId, (task) => decideSuspect(task, request)),
    mend: (request) => decide(request.taskId, (task) => decideMend(task, request)),
  };
}

function received(taskId: string, before: Task | undefined): Task {
  return {
    ...before,
    taskId,
    state: 'received',
    home: 'cloud',
    epoch: 0,
    heartbeat: 0,
    leaseMs: 0,
    version: (before?.version ?? 0) + 1,
    effects: 0,
  };
}
