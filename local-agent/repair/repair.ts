import type { Agent } from '../agent.ts';
import type { Problem } from '../verify/problem.ts';

/** What is mended; `docs/verify.md` says more of each. */
export type RepairCode =
  'copy' | 'vault' | 'contents' | 'content-lost' | 'vault-files' | 'sync' | 'draft' | 'task-item' | 'journal';

/** One thing that can be mended, in words first. */
export interface Repair {
  readonly code: RepairCode;
  readonly what: string;
  readonly why: string;
  /** What is left as it is, or kept beside it. */
  readonly keeps: string;
  readonly taskId?: string;
  /** The files that it is about. */
  readonly paths?: readonly string[];
  /** What the entry calls it, if not its code. */
  readonly recordAs?: string;
  /** Does it; to do it again does nothing more. */
  readonly act: (agent: Agent) => Promise<void>;
}

/** What can be mended, in the order in which it has to be done, and what cannot. */
export interface RepairPlan {
  readonly repairs: readonly Repair[];
  readonly left: readonly Problem[];
}

/** What the person allows beyond the ordinary. */
export interface RepairOptions {
  /** The folder into which a lost vault is brought back. It has to be named: it is not made by mistake. */
  readonly restoreVault?: string | undefined;
  /** Hashes of contents that exist nowhere any more. */
  readonly acceptLoss?: readonly string[] | undefined;
}

/** Tells two repairs apart. */
export function repairKey({ code, taskId, paths, recordAs }: Repair): string {
  return JSON.stringify([recordAs ?? code, taskId, paths]);
}
