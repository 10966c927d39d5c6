import { sha256Hex } from '#protocol/canonical.ts';
import type { Agent } from '../agent.ts';

/**
 * Keeps bytes that are about to be replaced as a note in `Conflicts/`. Its name holds their hash, so
 * that the same bytes are kept once.
 *
 * @returns the path of the copy.
 */
export async function keepBoth(agent: Agent, path: string, bytes: Uint8Array): Promise<string> {
  const hash = sha256Hex(bytes);
  const name = path.split('/').at(-1) ?? path;
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  const copy = `Conflicts/${stem.slice(0, 80)} ${agent.config.agent} ${hash.slice(0, 8)}${ending}`;
  if (!(await agent.files.read(copy))) await agent.files.write(copy, bytes, null);
  agent.log(`kept your version of ${path} as ${copy}`);
  return copy;
}
