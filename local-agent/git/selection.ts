import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { sha256Hex } from '#protocol/canonical.ts';
import { EmployeeError } from '#protocol/errors.ts';
import { foldName } from '#protocol/vault-path.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import type { LeftOut } from './history.ts';
import type { Scope } from './scope.ts';
import { wantedAt } from './touched-paths.ts';
import type { Cause, Wanted } from './touched-paths.ts';
import { withheldInGit } from './withheld-in-git.ts';

/** What stays out of a commit. */
export interface NotInGit extends LeftOut {
  readonly isSecret: boolean;
}

/** A path that goes into the next commit if what stands there is what the ledger has. */
export interface Candidate {
  readonly path: string;
  readonly cause: Cause;
  readonly wanted: Wanted;
}

/** What is to be looked at, sorted by what may become of it. */
export interface Selection {
  readonly puts: readonly Candidate[];
  readonly removals: readonly { readonly path: string; readonly cause: Cause }[];
  /** Stays as it is in Git. */
  readonly leftOut: NotInGit[];
}

/** The bytes of a candidate, or why it has to wait or to stay out. */
export type Look =
  | { readonly bytes: Uint8Array; readonly executable: boolean }
  | { readonly leftOut: string; readonly isSecret: boolean; readonly isPassing?: true }
  /** The vault is not in step there; a later commit holds it. */
  | 'later';

/** Sorts touched paths: what is to be committed, what is gone, what never goes into Git. */
export async function select(
  agent: Agent,
  { touched, kept }: Scope,
  maxFileBytes: number,
): Promise<Selection> {
  const puts: Candidate[] = [];
  const removals: { path: string; cause: Cause }[] = [];
  const leftOut: NotInGit[] = [];
  const unwanted: [string, Cause][] = [];
  const held = new Set<string>();
  for (const [at, cause] of touched) {
    const wanted = wantedAt(agent, at);
    if (!wanted) {
      if (kept.has(at)) unwanted.push([at, cause]);
      continue;
    }
    held.add(foldName(at));
    const why = withheldInGit(at);
    if (why !== undefined) leftOut.push({ path: at, why, isSecret: true });
    else if (wanted.sizeBytes > maxFileBytes) {
      leftOut.push({ path: at, why: tooLarge(maxFileBytes), isSecret: false });
    } else puts.push({ path: at, cause, wanted });
  }
  for (const [at, cause] of unwanted) {
    // On a disk that ignores case the old name of a file still answers for the new one.
    const gone = held.has(foldName(at)) || (await isGone(path.join(agent.config.vault, at)));
    if (gone) removals.push({ path: at, cause });
  }
  return { puts, removals, leftOut };
}

/** Reads a candidate and judges what was read, so that exactly the bytes that were checked are committed. */
export async function look(agent: Agent, candidate: Candidate, maxFileBytes: number): Promise<Look> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await agent.files.read(candidate.path);
  } catch (error) {
    // A link in its place, or no right to read it.
    if (error instanceof EmployeeError) return { leftOut: error.message, isSecret: false, isPassing: true };
    throw error;
  }
  if (!bytes || sha256Hex(bytes) !== candidate.wanted.sha256) return 'later';
  if (bytes.byteLength > maxFileBytes) return { leftOut: tooLarge(maxFileBytes), isSecret: false };
  const why = withheldContent(bytes);
  if (why !== undefined) return { leftOut: why, isSecret: true };
  const stat = await lstat(path.join(agent.config.vault, candidate.path)).catch(() => undefined);
  return { bytes, executable: stat !== undefined && (stat.mode & 0o100) !== 0 };
}

async function isGone(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return true;
    throw error;
  }
}

function tooLarge(maxFileBytes: number): string {
  return `it is larger than ${Math.round(maxFileBytes / 1024 / 1024)} MB (git.maxFileBytes); the encrypted mirror has it`;
}
