import { decideClaim, decideRelease, decideRenew, decideTakeover, decideTransfer } from '#protocol/claim.ts';
import type {
  ClaimAnswer,
  ClaimProof,
  ClaimRequest,
  ReleaseRequest,
  SeenClaim,
  TakeoverRequest,
  TransferRequest,
} from '#protocol/claim.ts';
import { SilenceWatch, silenceMs } from '#local-agent/claims/silence-watch.ts';
import type { Task } from '#protocol/task.ts';

/** The lease of these models; with the margin of the product it makes two ticks of silence. */
export const LEASE_MS = 15_000;
/** How many ticks of time a claim has to stand still before it may be taken over. */
export const SILENT_TICKS = 2;

const TICK_MS = silenceMs({ leaseMs: LEASE_MS }) / SILENT_TICKS;

/** What an observer knows of a claim of somebody else. */
export interface Observation {
  /** The item as it was seen first. */
  readonly first: Task;
  /** How many ticks ago, on the observer's own clock; more than enough count as enough. */
  readonly ageTicks: number;
  /** How long the heartbeat has stood still in truth: no observer can know it. */
  readonly stillTicks: number;
}

/** All rules of claims that the model works with. */
export interface ClaimRules {
  readonly claim: (task: Task | undefined, request: ClaimRequest) => ClaimAnswer;
  readonly renew: (task: Task | undefined, proof: ClaimProof) => ClaimAnswer;
  readonly release: (task: Task | undefined, request: ReleaseRequest) => ClaimAnswer;
  readonly transfer: (task: Task | undefined, request: TransferRequest) => ClaimAnswer;
  readonly takeover: (task: Task | undefined, request: TakeoverRequest) => ClaimAnswer;
  /** The claim that may be taken over, if the observer may believe its holder dead. */
  readonly silent: (now: Task, observation: Observation) => SeenClaim | undefined;
  /** Whether a rule is applied to the item as it stands, in one step. Not so: as its author had read it before. */
  readonly isConditional: boolean;
}

/** The product's. */
export const REAL_CLAIMS: ClaimRules = {
  claim: decideClaim,
  renew: decideRenew,
  release: decideRelease,
  transfer: decideTransfer,
  takeover: decideTakeover,
  silent: (now, { first, ageTicks }) => {
    const watch = new SilenceWatch();
    watch.look(first, 0, 0);
    return watch.look(now, ageTicks * TICK_MS, ageTicks * TICK_MS);
  },
  isConditional: true,
};
