import { withheldContent, withheldPath } from '#protocol/withheld.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import type { Git } from './git-command.ts';

const TIMEOUT_MS = 30 * 60_000;
/** A larger blob is looked at in windows that overlap by more than a credential is long. */
const WINDOW_BYTES = 8 * 1024 * 1024;
const OVERLAP_BYTES = 64 * 1024;
const BATCH = 500;

/** A commit that would carry a secret to the remote. */
export interface OutgoingSecret {
  readonly commit: string;
  readonly path: string;
  readonly why: string;
}

/**
 * Looks at every file of every commit that the remote does not have yet, whoever made it.
 *
 * @param known revisions that the remote has.
 */
export async function findOutgoingSecret(
  git: Git,
  tip: string,
  known: readonly string[],
  signal?: AbortSignal,
): Promise<OutgoingSecret | undefined> {
  const commits = await git.run(['rev-list', '--reverse', tip, '--not', ...known, '--'], { signal });
  const lines = commits.stdout.toString().split('\n').filter(Boolean);
  const seen = new Set<string>();
  for (let at = 0; at < lines.length; at += BATCH) {
    const blobs: { commit: string; path: string; id: string }[] = [];
    for (const file of await filesOf(git, lines.slice(at, at + BATCH), signal)) {
      const why = taskFolderOf(file.path) ? undefined : withheldPath(file.path);
      if (why !== undefined) return { commit: file.commit, path: file.path, why };
      if (!seen.has(file.id)) blobs.push(file);
      seen.add(file.id);
    }
    const found = await contentSecret(git, blobs, signal);
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
    { input: `${commits.join('\n')}\n`, signal },
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
  files: readonly { readonly commit: string; readonly path: string; readonly id: string }[],
  signal: AbortSignal | undefined,
): Promise<OutgoingSecret | undefined> {
  if (files.length === 0) return undefined;
  let found: OutgoingSecret | undefined;
  let index = 0;
  const stop = new AbortController();
  const reader = blobReader(
    (window) => {
      const file = files[index];
      const why = found || !file ? undefined : withheldContent(window);
      if (file && why !== undefined) found = { commit: file.commit, path: file.path, why };
      if (found) stop.abort();
    },
    () => (index += 1),
  );
  try {
    await git.run(['cat-file', '--batch'], {
      input: files.map(({ id }) => `${id}\n`).join(''),
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
