import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SENTINEL } from '#local-agent/sync/sentinel.ts';
import { sha256Hex } from '#protocol/canonical.ts';

/** What stands in a vault. */
export interface VaultTree {
  /** Hash by path, of every file that is synced. */
  readonly contents: Readonly<Record<string, string>>;
  /** Inode and times by path: they are other ones as soon as anybody wrote, be it the same bytes. */
  readonly marks: Readonly<Record<string, string>>;
  /** Hidden files that are neither the sentinel's nor Git's: what a killed process left behind, say. */
  readonly hidden: readonly string[];
}

/** Reads a vault from disk, past all code that is under test. */
export function readTree(vault: string): VaultTree {
  const contents: Record<string, string> = {};
  const marks: Record<string, string> = {};
  const hidden: string[] = [];
  for (const name of readdirSync(vault, { recursive: true, encoding: 'utf8' }).sort()) {
    const stat = lstatSync(path.join(vault, name));
    if (!stat.isFile()) continue;
    if (name.split(path.sep).some((part) => part.startsWith('.'))) {
      if (!name.startsWith('.git') && name !== SENTINEL) hidden.push(name);
      continue;
    }
    contents[name] = sha256Hex(readFileSync(path.join(vault, name)));
    marks[name] = `${stat.ino} ${stat.mtimeMs}`;
  }
  return { contents, marks, hidden };
}
