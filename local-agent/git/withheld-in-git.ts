import { taskFolderOf } from '#protocol/vault-path.ts';
import { withheldName, withheldPath } from '#protocol/withheld.ts';

/**
 * Why a path does not go into Git for its name, or `undefined`. A note is named after its mail, whatever that
 * is about: only a credential in its name counts.
 */
export function withheldInGit(path: string): string | undefined {
  return taskFolderOf(path) ? withheldName(path) : withheldPath(path);
}
