import { badFileName, misspeltShared, taskFolderOf } from '#protocol/vault-path.ts';
import { withheldPath } from '#protocol/withheld.ts';

const MAX_PATH = 1000;

interface FolderVerdict {
  readonly why: string | undefined;
  readonly ofTasks: boolean;
}

/**
 * Why files stay on this machine because of their names. What the folders of a path have to say is worked
 * out once a folder, and what a name has to say once for as long as these rules live.
 */
export class NameRules {
  readonly #folders = new Map<string, FolderVerdict>([['', { why: undefined, ofTasks: false }]]);
  readonly #fine = new Set<string>();

  /** In words for the person; `undefined` where nothing is wrong with the path. */
  why(path: string): string | undefined {
    if (this.#fine.has(path)) return undefined;
    const slash = path.lastIndexOf('/');
    const { why = whyName(path.slice(slash + 1)), ofTasks } = this.#folder(path.slice(0, Math.max(slash, 0)));
    if (why !== undefined) return why;
    const misspelt = whyMisspelt(path);
    if (misspelt !== undefined) return misspelt;
    if (path.length > MAX_PATH) return `its path is longer than ${MAX_PATH} characters`;
    // A note is named after its mail; what is in it is looked at when it is taken.
    const secret = ofTasks ? undefined : withheldPath(path.slice(slash + 1));
    if (secret === undefined) this.#fine.add(path);
    return secret;
  }

  #folder(path: string): FolderVerdict {
    const known = this.#folders.get(path);
    if (known) return known;
    const ofTasks = taskFolderOf(`${path}/`) !== undefined;
    const verdict = { why: whyFolder(path, ofTasks), ofTasks };
    this.#folders.set(path, verdict);
    return verdict;
  }
}

/** Why a path stays where it is that a file system may take for a shared one. */
export function whyMisspelt(path: string): string | undefined {
  const shared = misspeltShared(path);
  if (shared === undefined) return undefined;
  return `it begins with the name of ${shared}, which the cloud reads, and is something else; rename it`;
}

function whyName(name: string): string | undefined {
  const bad = badFileName(name);
  return bad === undefined ? undefined : `its name ${bad}; under another name it is synced`;
}

function whyFolder(path: string, ofTasks: boolean): string | undefined {
  for (const part of path.split('/')) {
    const bad = badFileName(part);
    if (bad !== undefined)
      return `the name of the folder ${JSON.stringify(part)} ${bad}; under another name its files are synced`;
  }
  return ofTasks ? undefined : withheldPath(`${path}/x`);
}
