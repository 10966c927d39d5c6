import { namesOf } from '#protocol/replay-files.ts';
import type { Agent } from '../agent.ts';
import { accepted } from '../append-change.ts';
import { store } from '../contents.ts';
import { conflictName } from './copy-name.ts';

/** A version of this machine that cannot keep its place. */
export interface Version {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** The hash of what the ledger has there; absent when it has nothing. */
  readonly theirs?: string;
}

/** Where a version is kept, and the entry that brought it. */
export interface KeptCopy {
  readonly copy: string;
  readonly n: number;
}

/**
 * Puts a version into the ledger beside the one that has its place, for a person to choose. Once: its name
 * follows from its bytes. It comes to every vault as any other file, this one included.
 *
 * @returns `undefined` when no name was free for it.
 */
export async function keepConflict(agent: Agent, version: Version): Promise<KeptCopy | undefined> {
  const { path, bytes, sha256, theirs } = version;
  const { state } = agent.session;
  const isFree = (name: string): boolean => {
    const there = state.files.get(name);
    return there ? there.content.sha256 === sha256 : namesOf(state.files).clash(name) === undefined;
  };
  const copy = conflictName(path, agent.config.agent, sha256, isFree);
  if (copy === undefined) return undefined;
  if (!state.files.has(copy)) {
    const content = await store(agent, bytes, 'private');
    const outcome = await agent.session.append(({ files }) => {
      if (files.has(copy)) return undefined;
      const body = {
        kind: 'conflict',
        path,
        copy,
        content,
        ...(theirs === undefined ? {} : { theirs }),
      } as const;
      return { ring: 'private', body };
    });
    if (outcome.appended && !accepted(state, outcome.entry.n)) return undefined;
  }
  const kept = state.files.get(copy);
  return kept?.content.sha256 === sha256 ? { copy, n: kept.contentN } : undefined;
}
