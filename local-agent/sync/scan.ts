import { sha256Hex } from '#protocol/canonical.ts';
import { badFileName, taskFolderOf } from '#protocol/vault-path.ts';
import { withheldPath } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import type { KnownStat } from '../ledger-copy.ts';

/** A path of the vault that stays on this machine, and why. */
export interface Withheld {
  readonly path: string;
  readonly why: string;
}

/** Larger files are not read and stay on this machine. */
export const MAX_FILE_BYTES = 25 * 1024 * 1024;

/** What a scan of the vault found: hash by path, and what is left out of sync. */
export interface Scan {
  readonly files: Map<string, string>;
  readonly withheld: Withheld[];
}

/**
 * Looks at every file of the vault. A file whose size and time are those of the last scan is not read
 * again.
 */
export async function scanVault(agent: Agent): Promise<Scan> {
  const known = agent.copy.allStats();
  const fresh = new Map<string, KnownStat | undefined>();
  const scan: Scan = { files: new Map(), withheld: [] };
  const seen = new Set<string>();
  for (const stat of await agent.files.list()) {
    if (stat.kind === 'folder') continue;
    const why =
      stat.sizeBytes > MAX_FILE_BYTES ? 'it is larger than 25 MB' : reasonToWithhold(stat.path, stat.kind);
    if (why !== undefined) {
      scan.withheld.push({ path: stat.path, why });
      continue;
    }
    seen.add(stat.path);
    const before = known.get(stat.path);
    if (before?.sizeBytes === stat.sizeBytes && before.modifiedMs === stat.modifiedMs) {
      scan.files.set(stat.path, before.sha256);
      continue;
    }
    const bytes = await agent.files.read(stat.path);
    if (!bytes) continue;
    const sha256 = sha256Hex(bytes);
    scan.files.set(stat.path, sha256);
    // A file that was written within the clock's grain of this look may change again unseen.
    const settled = Date.parse(agent.clock.now()) - stat.modifiedMs > 2000;
    if (settled) fresh.set(stat.path, { sizeBytes: stat.sizeBytes, modifiedMs: stat.modifiedMs, sha256 });
  }
  for (const path of known.keys()) if (!seen.has(path)) fresh.set(path, undefined);
  if (fresh.size > 0) agent.copy.setStats(fresh);
  return scan;
}

function reasonToWithhold(path: string, kind: string): string | undefined {
  if (kind !== 'file') return 'it is a link or no plain file';
  for (const part of path.split('/')) {
    const bad = badFileName(part);
    if (bad !== undefined) return `its name ${bad}`;
  }
  if (path.length > 1000) return 'its path is longer than 1000 characters';
  // A note is named after its mail; what is in it is looked at when it is taken.
  return taskFolderOf(path) ? undefined : withheldPath(path);
}
