import type { ContentRef, HeldContent } from '#protocol/content.ts';
import { SealError } from '#protocol/errors.ts';
import type { AgentPorts } from './agent.ts';

/** What contents are stored and loaded with. */
export type ContentPorts = Pick<AgentPorts, 'keys' | 'config' | 'blobs' | 'copy'>;

/**
 * The same content as its entry says it.
 *
 * @throws {SealError} when the entry is not in the copy.
 */
export function inWords(copy: ContentPorts['copy'], content: HeldContent): ContentRef {
  if (!('entry' in content)) return content;
  const found = copy.contentAt(content.entry, content.sha256);
  if (found) return found;
  throw new SealError(`the copy on this machine has no such contents in entry ${content.entry}`);
}
