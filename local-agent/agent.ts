import type { LedgerSession } from '#protocol/ledger-session.ts';
import type {
  ArchiveReader,
  BlobInventory,
  BlobStore,
  Clock,
  Files,
  Ids,
  LedgerStore,
  TaskStore,
} from '#protocol/ports.ts';
import type { EmployeeConfig } from './config.ts';
import type { VaultHistory } from './git/history.ts';
import type { KeyStore } from './key-store.ts';
import type { AgentKeys } from './keys.ts';
import type { LedgerCopy } from './ledger-copy.ts';
import type { SyncProgress } from './sync/progress.ts';
import type { ToolHost } from './tool-host.ts';

/** Everything that a use case of the local zone works with. */
export interface AgentPorts {
  readonly config: EmployeeConfig;
  readonly keys: AgentKeys;
  /** Where new vault keys are kept. Absent in a process that only looks. */
  readonly keyStore?: KeyStore;
  readonly ledger: LedgerStore;
  readonly tasks: TaskStore;
  /** This machine's own, for claims while the shared one does not answer. */
  readonly localTasks?: TaskStore;
  readonly blobs: BlobStore;
  readonly inventory: BlobInventory;
  /** Absent where the stack has none, or the config does not name it. */
  readonly archive?: ArchiveReader;
  readonly files: Files;
  readonly tools: ToolHost;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly copy: LedgerCopy;
  /** Absent where the vault keeps none. */
  readonly history?: VaultHistory;
  readonly log: (line: string) => void;
  /** Told how far a sync has come; must not throw. */
  readonly progress?: (step: SyncProgress) => void;
}

/** The ports with the ledger's verified state, replayed from this machine's copy. */
export interface Agent extends AgentPorts {
  readonly session: LedgerSession;
}
