import { readdirSync } from 'node:fs';
import path from 'node:path';
import { nodeDisk } from '#local-agent/files/disk.ts';
import type { Disk } from '#local-agent/files/disk.ts';
import { systemError } from './tapped-disk.ts';

/**
 * The real disk as one that finds a name whatever its case (macOS, Windows, sticks). For absolute paths.
 *
 * @param links whether a file can have two names; FAT knows no such thing.
 */
export function caseBlindDisk(links: boolean): Disk {
  const find = (file: string): string => {
    let found = '/';
    for (const part of file.split('/').filter(Boolean)) {
      const there = namesIn(found).find((name) => name.toLowerCase() === part.toLowerCase());
      found = path.join(found, there ?? part);
    }
    return found;
  };
  return {
    ...nodeDisk,
    open: (file, flags, mode) => nodeDisk.open(find(file), flags, mode),
    lstat: (file) => nodeDisk.lstat(find(file)),
    names: (folder) => nodeDisk.names(find(folder)),
    link(from, to) {
      if (!links) throw systemError('EPERM');
      nodeDisk.link(find(from), find(to));
    },
    rename(from, to) {
      const itself = find(from) === find(to);
      const named = path.join(find(path.dirname(to)), path.basename(to));
      nodeDisk.rename(find(from), itself ? named : find(to));
    },
    unlink: (file) => nodeDisk.unlink(find(file)),
    mkdir: (folder) => nodeDisk.mkdir(find(folder)),
    rmdir: (folder) => nodeDisk.rmdir(find(folder)),
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
