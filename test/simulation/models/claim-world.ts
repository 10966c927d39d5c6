import type { SeenClaim } from '#protocol/claim.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { Task, Zone } from '#protocol/task.ts';

/** The one task of the model. */
export const taskId = taskIdOfMail('the one task');

/** A request on its way to the task store. */
export type Request = { readonly by: number; readonly read: Task } & (
  | { readonly op: 'claim'; readonly attempt: string }
  | { readonly op: 'renew' | 'release'; readonly epoch: number }
  | { readonly op: 'transfer'; readonly epoch: number; readonly to: number; readonly attempt: string }
  | { readonly op: 'takeover'; readonly seen: SeenClaim; readonly attempt: string }
);

/** What an agent knows. */
export interface Knowledge {
  /** The epoch under which it believes to hold the task. */
  readonly holds?: number;
  /** It waits for the answer. An agent that is suspended here wakes whenever it likes. */
  readonly request?: Request;
  /** It lost a reply, or died: it does not know what it holds. */
  readonly isUnsure: boolean;
  /** The attempt it began last, durable before its first request. */
  readonly attempt: string;
  readonly first?: Task;
  readonly ageTicks: number;
  /** Changes of the holder that it may still ask for. */
  readonly tries: number;
}

/** One task, its agents, and what is still on its way from agents that have given up waiting. */
export interface ClaimWorld {
  readonly item: Task;
  readonly agents: readonly Knowledge[];
  readonly late: readonly Request[];
  readonly stillTicks: number;
  readonly losses: number;
  readonly deaths: number;
}

/** How much is explored. */
export interface ClaimSize {
  readonly agents: readonly Zone[];
  readonly tries: number;
  readonly losses: number;
  readonly deaths: number;
}
