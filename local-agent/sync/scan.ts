import { sha256Hex } from '#protocol/canonical.ts';
import { EmployeeError } from '#protocol/errors.ts';
import type { FileStat } from '#protocol/ports.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import { DiskError } from '../files/disk-error.ts';
import { inFlight } from '../in-flight.ts';
import type { KnownStat } from '../copy-tables.ts';
import type { LedgerCopy } from '../ledger-copy.ts';
import { isLeftAlone } from './left-alone.ts';
import { NameRules } from './name-rules.ts';
import { stableList } from './stable-list.ts';

/** A path of the vault that stays on this machine, and why. */
export interface Withheld {
  readonly path: string;
  readonly why: string;
}

/** Larger files are not read and stay on this machine. */
export const MAX_FILE_BYTES = 25 * 1024 * 1024;

/** Files up to this size are read several at a time, larger ones one by one: memory stays bounded. */
const SMALL_BYTES = 1024 * 1024;
const READS_AT_ONCE = 8;
const MAX_TRIES = 3;

/** What a scan of the vault found. */
export interface Scan {
  /** The hash of each file that takes part in the sync, by path. */
  readonly files: Map<string, string>;
  /** What the system says of the same files: the same `fileId` is the same file, whatever its name. */
  readonly stats: ReadonlyMap<string, FileStat>;
  /** What stays on this machine. */
  readonly withheld: Withheld[];
  /** Takes a path out of this sync. */
  withhold(path: string, why: string): void;
  /**
   * Whether this sync keeps its hands off a path, here or elsewhere: it is withheld, or below a folder that
   * is, or has a name that is never synced. That such a file is not in `files` does not mean it is gone.
   */
  isWithheld(path: string): boolean;
  /** Where the file stands now that the system knows by this `fileId`, if it is one that is withheld. */
  withheldAs(fileId: string): string | undefined;
}

type KnownSecret = KnownStat & { readonly why: string };

/** What a process that stays need not find out again; another one may have other rules. */
const REMEMBERED = new WeakMap<
  LedgerCopy,
  { readonly rules: NameRules; readonly secrets: Map<string, KnownSecret> }
>();

/**
 * Looks at every file of the vault. A file whose size, times and identity are those of the last scan is not
 * read again; the time of its last change (`changedMs`) cannot be set by anybody, so that a copy with its
 * old date is seen. What cannot be read is withheld, not gone.
 */
export async function scanVault(agent: Agent): Promise<Scan> {
  for (let tries = 1; ; tries++) {
    const { scan, gone } = await scanOnce(agent);
    // What was listed and could not be read any more may have been moved: then it has to be found elsewhere.
    if (gone === 0 || tries === MAX_TRIES) return scan;
  }
}

async function scanOnce(agent: Agent): Promise<{ readonly scan: Scan; readonly gone: number }> {
  const known = agent.copy.allStats();
  const remembered = REMEMBERED.get(agent.copy) ?? {
    rules: new NameRules(),
    secrets: new Map<string, KnownSecret>(),
  };
  REMEMBERED.set(agent.copy, remembered);
  const { rules, secrets } = remembered;
  const scan = new VaultScan();
  const toRead: FileStat[] = [];
  for (const stat of await stableList(agent)) {
    if (stat.kind === 'folder' && stat.problem === undefined) continue;
    if (isLeftAlone(stat.path, stat.sizeBytes)) continue;
    const why = whyUnread(stat) ?? rules.why(stat.path);
    if (why !== undefined) {
      scan.withhold(stat.path, why, stat);
      continue;
    }
    const before = known.get(stat.path);
    if (isSame(before, stat)) {
      scan.add(stat, before.sha256);
      continue;
    }
    const secret = secrets.get(stat.path);
    if (isSame(secret, stat)) scan.withhold(stat.path, secret.why, stat);
    else toRead.push(stat);
  }
  const fresh = new Map<string, KnownStat | undefined>();
  let done = 0;
  let gone = 0;
  const read = async (stat: FileStat): Promise<void> => {
    const found = await readFile(agent, stat);
    done += 1;
    agent.progress?.({ stage: 'scan', done, total: toRead.length, path: stat.path });
    if (!found) {
      gone += 1;
      return;
    }
    const { sha256, why } = found;
    if (sha256 === undefined) return scan.withhold(stat.path, why, stat);
    const { sizeBytes, modifiedMs, changedMs, fileId } = stat;
    const now = { sizeBytes, modifiedMs, changedMs, fileId, sha256 };
    if (why === undefined) scan.add(stat, sha256);
    else scan.withhold(stat.path, why, stat);
    if (!stat.settled) return;
    if (why === undefined) fresh.set(stat.path, now);
    else secrets.set(stat.path, { ...now, why });
  };
  await inFlight(toRead.filter(isSmall), READS_AT_ONCE, read);
  for (const stat of toRead) if (!isSmall(stat)) await read(stat);
  for (const path of known.keys()) if (!scan.files.has(path)) fresh.set(path, undefined);
  for (const path of secrets.keys()) if (!scan.isWithheld(path)) secrets.delete(path);
  if (fresh.size > 0) agent.copy.setStats(fresh);
  return { scan, gone };
}

function isSmall({ sizeBytes }: FileStat): boolean {
  return sizeBytes <= SMALL_BYTES;
}

function isSame<Known extends KnownStat>(known: Known | undefined, stat: FileStat): known is Known {
  return (
    known?.sizeBytes === stat.sizeBytes &&
    known.modifiedMs === stat.modifiedMs &&
    known.changedMs === stat.changedMs &&
    known.fileId === stat.fileId
  );
}

function whyUnread(stat: FileStat): string | undefined {
  if (stat.problem !== undefined) return stat.problem;
  if (stat.kind !== 'file') return 'it is a link or no plain file';
  return stat.sizeBytes > MAX_FILE_BYTES ? 'it is larger than 25 MB' : undefined;
}

type Read =
  | { readonly sha256: string; readonly why: string | undefined }
  | { readonly sha256: undefined; readonly why: string };

/** @returns `undefined` when the file is gone. */
async function readFile(agent: Agent, { path }: FileStat): Promise<Read | undefined> {
  try {
    const bytes = await agent.files.read(path);
    if (!bytes) return undefined;
    // What is in a task's note is looked at when it is taken.
    const why = taskFolderOf(path) ? undefined : withheldContent(bytes);
    return { sha256: sha256Hex(bytes), why };
  } catch (error) {
    if (!(error instanceof EmployeeError)) throw error;
    const why =
      error instanceof DiskError ? `it cannot be read (${error.words})` : 'it is a link or no plain file';
    return { sha256: undefined, why };
  }
}

class VaultScan implements Scan {
  readonly files = new Map<string, string>();
  readonly stats = new Map<string, FileStat>();
  readonly withheld: Withheld[] = [];
  readonly #paths = new Set<string>();
  /** Links and folders among them: what is below such a one is withheld as well. */
  readonly #folders = new Set<string>();
  readonly #byFileId = new Map<string, string>();

  add(stat: FileStat, sha256: string): void {
    this.files.set(stat.path, sha256);
    this.stats.set(stat.path, stat);
  }

  withhold(path: string, why: string, stat = this.stats.get(path)): void {
    this.files.delete(path);
    this.stats.delete(path);
    if (!this.#paths.has(path)) this.withheld.push({ path, why });
    this.#paths.add(path);
    if (stat && stat.kind !== 'file') this.#folders.add(path);
    else if (stat && stat.fileId !== '') this.#byFileId.set(stat.fileId, path);
  }

  withheldAs(fileId: string): string | undefined {
    return this.#byFileId.get(fileId);
  }

  isWithheld(path: string): boolean {
    if (this.#paths.has(path) || path.startsWith('.') || path.includes('/.') || isLeftAlone(path))
      return true;
    if (this.#folders.size === 0) return false;
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1))
      if (this.#folders.has(path.slice(0, at))) return true;
    return false;
  }
}
