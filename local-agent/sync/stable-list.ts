import type { FileStat } from '#protocol/ports.ts';
import type { Agent } from '../agent.ts';

const MAX_LOOKS = 5;

/**
 * The vault's files and folders. A list takes time: a file that is moved meanwhile, from a folder that is
 * yet to be read to one that was, is in neither, and one that is being saved has no name for a moment. So
 * where something is missing that was there before, it is listed again until two lists are alike.
 */
export async function stableList(agent: Agent): Promise<readonly FileStat[]> {
  let list = await agent.files.list();
  for (let looks = 1; looks < MAX_LOOKS; looks++) {
    const paths = new Set(list.map(({ path }) => path));
    if (!isAnyMissing(agent, paths)) return list;
    const again = await agent.files.list();
    const alike = again.length === list.length && again.every(({ path }) => paths.has(path));
    list = again;
    if (alike) return list;
  }
  return list;
}

function isAnyMissing({ copy }: Agent, paths: ReadonlySet<string>): boolean {
  for (const path of copy.allStats().keys()) if (!paths.has(path)) return true;
  for (const path of copy.allAgreed().keys()) if (!paths.has(path)) return true;
  for (const { path } of copy.allNotes().values()) if (path !== '' && !paths.has(path)) return true;
  return false;
}
