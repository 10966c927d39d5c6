import { devNull } from 'node:os';
import { withheldContent } from '#protocol/withheld.ts';
import type { Git } from './git-command.ts';
import { withheldInGit } from './withheld-in-git.ts';

const TIMEOUT_MS = 30 * 60_000;
/** A larger blob is looked at in windows that overlap by more than a credential is long. */
const WINDOW_BYTES = 8 * 1024 * 1024;
const OVERLAP_BYTES = 64 * 1024;
const BATCH = 500;
/** A push sends what is there, not what `git replace` or a graft has shown in its place here. */
const AS_STORED = { GIT_NO_REPLACE_OBJECTS: '1', GIT_GRAFT_FILE: devNull };

/** A commit that would carry a secret to the remote. */
export interface OutgoingSecret {
  readonly commit: string;
  /** Absent when it stands in the message of the commit. */
  readonly path?: string;
  readonly why: string;
}

interface Outgoing {
  readonly commit: string;
  readonly path?: string;
  readonly id: string;
}

/**
 * Looks at every file and the message of every commit that the remote does not have yet, whoever made it.
 *
 * @param known revisions that the remote has.
 */
export async function findOutgoingSecret(
  git: Git,
  tip: string,
  known: readonly string[],
  signal?: AbortSignal,
): Promise<OutgoingSecret | undefined> {
  const revisions = [tip, ...known.map((id) => `^${id}`)];
  const commits = await git.run(['rev-list', '--reverse', '--stdin'], {
    input: revisions.map((revision) => `${revision}\n`).join(''),
    env: AS_STORED,
    signal,
  });
  const lines = commits.stdout.toString().split('\n').filter(Boolean);
  const seen = new Set<string>();
  for (let at = 0; at < lines.length; at += BATCH) {
    const batch = lines.slice(at, at + BATCH);
    const objects: Outgoing[] = batch.map((commit) => ({ commit, id: commit }));
    for (const file of await filesOf(git, batch, signal)) {
      const why = withheldInGit(file.path);
      if (why !== undefined) return { commit: file.commit, path: file.path, why };
      if (!seen.has(file.id)) objects.push(file);
      seen.add(file.id);
    }
    const found = await contentSecret(git, objects, signal);
    if (found) return found;
  }
  return undefined;
}

/** What commits added or changed, also in comparison with each parent of a merge. */
async function filesOf(
  git: Git,
  commits: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ commit: string; path: string; id: string }[]> {
  const { stdout } = await git.run(
    [
      'diff-tree',
      '--stdin',
      '-r',
      '-m',
      '--root',
      '-z',
      '--raw',
      '--no-renames',
      '--no-abbrev',
      '--diff-filter=AMT',
    ],
    { input: `${commits.join('\n')}\n`, env: AS_STORED, signal },
  );
  const parts = stdout.toString().split('\0');
  const files: { commit: string; path: string; id: string }[] = [];
  let commit = '';
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? '';
    if (!part.startsWith(':')) {
      commit = part;
      continue;
    }
    const [, mode = '', , id = ''] = part.slice(1).split(' ');
    at += 1;
    // A submodule is a commit of another repository.
    if (mode !== '160000') files.push({ commit, path: parts[at] ?? '', id });
  }
  return files;
}

async function contentSecret(
  git: Git,
  objects: readonly Outgoing[],
  signal: AbortSignal | undefined,
): Promise<OutgoingSecret | undefined> {
  let found: OutgoingSecret | undefined;
  let index = 0;
  const stop = new AbortController();
  const reader = blobReader(
    (window) => {
      const object = objects[index];
      const why = found || !object ? undefined : withheldContent(window);
      if (object && why !== undefined) {
        const { id: _id, ...where } = object;
        found = { ...where, why };
      }
      if (found) stop.abort();
    },
    () => (index += 1),
  );
  try {
    await git.run(['cat-file', '--batch'], {
      input: objects.map(({ id }) => `${id}\n`).join(''),
      env: AS_STORED,
      timeoutMs: TIMEOUT_MS,
      signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
      onOutput: reader,
    });
  } catch (error) {
    if (!found) throw error;
  }
  return found;
}

/** Takes the output of `cat-file --batch` apart: windows of each blob, then its end. */
function blobReader(onWindow: (bytes: Buffer) => void, onEnd: () => void): (chunk: Buffer) => void {
  let buffered: Buffer[] = [];
  let bufferedBytes = 0;
  /** Bytes of the current blob that were not looked at yet, or `undefined` before its header. */
  let left: number | undefined;
  const take = (): Buffer => {
    const all = buffered.length === 1 && buffered[0] ? buffered[0] : Buffer.concat(buffered);
    buffered = [];
    bufferedBytes = 0;
    return all;
  };
  const put = (bytes: Buffer): void => {
    if (bytes.length > 0) buffered.push(bytes);
    bufferedBytes += bytes.length;
  };
  const header = (): boolean => {
    const all = take();
    const end = all.indexOf('\n');
    put(end < 0 ? all : all.subarray(end + 1));
    if (end < 0) return false;
    const [, type, size] = all.subarray(0, end).toString().split(' ');
    // "missing" has no contents; nothing that a commit names is missing in a whole repository.
    if (type === 'missing') onEnd();
    else left = Number(size);
    return true;
  };
  const body = (): boolean => {
    const size = left ?? 0;
    if (bufferedBytes > size) {
      const all = take();
      onWindow(all.subarray(0, size));
      // The line break after each blob.
      put(all.subarray(size + 1));
      left = undefined;
      onEnd();
      return true;
    }
    if (bufferedBytes < WINDOW_BYTES) return false;
    const all = take();
    onWindow(all);
    const kept = all.subarray(Math.max(0, all.length - OVERLAP_BYTES));
    put(kept);
    left = size - (all.length - kept.length);
    return false;
  };
  return (chunk) => {
    put(chunk);
    while (left === undefined ? bufferedBytes > 0 && header() : body());
  };
}
