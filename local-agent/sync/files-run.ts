import type { FileView, VaultState } from '#protocol/vault-state.ts';
import { zoneOf } from '#protocol/vault-state.ts';
import type { Zone } from '#protocol/task.ts';
import type { Agent } from '../agent.ts';
import type { AgreedFile } from '../copy-tables.ts';
import type { Scan } from './scan.ts';
import type { VaultChange } from './vault-change.ts';

/** What became of the files that are no task's notes in one sync. */
export interface FilesReport {
  applied: number;
  pushed: number;
  /** Copies of this machine's versions that were kept for a person to choose. */
  readonly conflicts: string[];
  /** What was not left as a person had it, and why, in words. */
  readonly explained: Set<string>;
  readonly changes: VaultChange[];
}

/** One sync of files on its way: what is known by now, and what was done. */
export class FilesRun {
  readonly agent: Agent;
  readonly scan: Scan;
  /** Files on the disk that could not go up now; they stay as they are. */
  readonly left = new Set<string>();
  /** Files on the disk that are not the ones that their `fileId` says. */
  readonly apart = new Set<string>();
  /** Paths that changed under our hands: the next sync looks at them afresh. */
  readonly unsure = new Set<string>();
  readonly report: FilesReport = { applied: 0, pushed: 0, conflicts: [], explained: new Set(), changes: [] };
  #disk: Map<string, string> | undefined;
  readonly #agreed = new Map<string, AgreedFile | undefined>();

  constructor(agent: Agent, scan: Scan) {
    this.agent = agent;
    this.scan = scan;
  }

  get state(): VaultState {
    return this.agent.session.state;
  }

  /** The vault's files by now: the scan, and what this sync did since. */
  get disk(): ReadonlyMap<string, string> {
    return this.#disk ?? this.scan.files;
  }

  /** Notes what stands on the disk now, or that nothing does. */
  setDisk(path: string, sha256: string | undefined): void {
    this.#disk ??= new Map(this.scan.files);
    if (sha256 === undefined) this.#disk.delete(path);
    else this.#disk.set(path, sha256);
  }

  /** Notes what is agreed on; durable with the next `settle`. */
  agree(path: string, agreed: AgreedFile | undefined): void {
    const fileId = this.scan.stats.get(path)?.fileId;
    const known =
      agreed && !agreed.fileId && fileId && this.scan.files.get(path) === agreed.sha256
        ? { ...agreed, fileId }
        : agreed;
    this.#agreed.set(path, known);
    if (this.#agreed.size >= 1000) this.settle();
  }

  settle(): void {
    if (this.#agreed.size === 0) return;
    const { copy } = this.agent;
    copy.together(() => {
      for (const [path, agreed] of this.#agreed) copy.setAgreed(path, agreed);
    });
    this.#agreed.clear();
  }

  /** Whose work a file of the ledger is: the cloud writes pages of `Briefings/` and nothing else. */
  zoneOf(path: string, file: FileView): Zone {
    if (!path.startsWith('Briefings/')) return 'local';
    const writer = this.agent.copy.entryAt(file.n)?.writer;
    return (writer === undefined ? undefined : zoneOf(this.state, writer)) ?? 'local';
  }
}
