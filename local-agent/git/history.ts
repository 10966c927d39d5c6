import type { VaultChange } from '../sync/vault-change.ts';

/** A file that is synced and does not go into new commits, and why. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

/** What became of the pushes to the owner's remote. */
export interface PushStatus {
  readonly remote: string;
  readonly branch: string;
  /** When the last push arrived; `null` before the first. */
  readonly lastPushAt: string | null;
  /** Commits that the remote does not have. */
  readonly ahead: number;
  /** Why the last try failed and what to do, in words. */
  readonly error?: string;
  readonly nextTryAt?: string;
}

/** The history of the vault at one look. */
export interface HistoryStatus {
  /** `off`: there is none. `waiting`: the next commit waits for something. `ready`: all is committed, or will be. */
  readonly state: 'off' | 'waiting' | 'ready';
  /** Why it is off or waits, and what to do. */
  readonly why?: string;
  readonly branch?: string;
  /** The last commit of the branch, whoever made it. */
  readonly commit?: string;
  /** The last entry of the ledger whose changes are all committed. */
  readonly committedTo: number;
  readonly leftOut: readonly LeftOut[];
  readonly push?: PushStatus;
}

/** The vault's history and backup. It follows what a sync did and decides nothing. */
export interface VaultHistory {
  /** Commits what a sync changed, and whatever an earlier one left. Never throws: what is in the way is in the status. */
  commit(changes: readonly VaultChange[]): Promise<void>;
  status(): Promise<HistoryStatus>;
  /** What may take long and needs no lock: pushing when it is due, tidying. Never throws; cheap when nothing is due. */
  background(signal: AbortSignal): Promise<void>;
}
