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
  const short = shortened(stem);
  let copy = '';
  for (let digits = 8; digits <= 64; digits += 8) {
    copy = `Conflicts/${short} ${agent.config.agent} ${hash.slice(0, digits)}${ending.length > 20 ? '' : ending}`;
    const there = await agent.files.read(copy);
    if (there ? sha256Hex(there) === hash : (await agent.files.write(copy, bytes, null)) === 'written') break;
  }
  agent.log(`kept your version of ${path} as ${copy}`);
  return copy;
}

function shortened(stem: string): string {
  let short = '';
  for (const character of stem) {
    if (Buffer.byteLength(short + character) > 120) break;
    short += character;
  }
  return short.trim();
}
