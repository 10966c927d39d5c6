import { createHash } from 'node:crypto';
import type { Git } from './git-command.ts';
import { isTrue } from './repository.ts';
import type { Repository } from './repository.ts';

const LINE_ENDS = new Set(['text', 'eol', 'crlf']);
const CONVERTING = new Set([...LINE_ENDS, 'filter', 'ident', 'working-tree-encoding']);
const IMPORT_TIMEOUT_MS = 10 * 60_000;

/** How the owner's attributes have a file converted on its way into Git. */
export type Conversion = 'none' | 'line-ends' | 'any';

/** The id under which Git keeps these very bytes. */
export function blobId(format: Repository['format'], bytes: Uint8Array): string {
  return createHash(format).update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
}

/** Stores one blob. The bytes are taken as they are. */
export async function storeBlob(git: Git, bytes: Uint8Array): Promise<void> {
  await git.run(['hash-object', '-w', '--stdin'], { input: bytes });
}

/** Stores blobs, many in one pack. The bytes are taken as they are. */
export async function storeBlobs(git: Git, blobs: AsyncIterable<Uint8Array>): Promise<void> {
  await git.run(['fast-import', '--quiet', '--done'], {
    input: importStream(blobs),
    timeoutMs: IMPORT_TIMEOUT_MS,
  });
}

async function* importStream(blobs: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const bytes of blobs) {
    yield Buffer.concat([Buffer.from(`blob\ndata ${bytes.byteLength}\n`), bytes, Buffer.from('\n')]);
  }
  yield Buffer.from('done\n');
}

/** Stores one blob the way the owner's attributes want it (a filter such as git-crypt or LFS). Answers its id. */
export async function storeConverted(git: Git, path: string, bytes: Uint8Array): Promise<string> {
  return git.text(['hash-object', '-w', '--stdin', `--path=${path}`], { input: bytes });
}

/** Which of the paths the owner's attributes convert. Paths that are not in the answer are taken as they are. */
export async function conversions(
  git: Git,
  paths: readonly string[],
  settings: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Conversion>> {
  const found = new Map<string, Conversion>();
  const autocrlf = settings.get('core.autocrlf') ?? '';
  if (autocrlf.toLowerCase() === 'input' || isTrue(autocrlf)) {
    for (const path of paths) found.set(path, 'line-ends');
  }
  const { stdout } = await git.run(['check-attr', '-z', '--stdin', '--all'], {
    input: zeroEnded(paths),
  });
  const answer = stdout.toString().split('\0');
  for (let at = 0; at + 2 < answer.length; at += 3) {
    const [path = '', name = '', value] = answer.slice(at, at + 3);
    if (!CONVERTING.has(name) || value === 'unset') continue;
    const kind: Conversion = LINE_ENDS.has(name) ? 'line-ends' : 'any';
    if (found.get(path) !== 'any') found.set(path, kind);
  }
  return found;
}

/** The paths among those that Git does not have yet that the owner's ignore rules leave out. */
export async function ignoredPaths(git: Git, paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  // Only the rules: asked for the index as well, it fails for what lies in a submodule.
  const { stdout } = await git.run(['check-ignore', '--no-index', '-z', '--stdin'], {
    input: zeroEnded(paths),
    expect: [0, 1],
  });
  return new Set(stdout.toString().split('\0').slice(0, -1));
}

/** Paths as Git reads them with `-z`. */
export function zeroEnded(paths: readonly string[]): string {
  return paths.map((path) => `${path}\0`).join('');
}

/** What Git has at each path of a tree: mode, type and id. */
export async function treeEntries(
  git: Git,
  tree: string,
): Promise<Map<string, { readonly mode: string; readonly id: string }>> {
  const { stdout } = await git.run(['ls-tree', '-r', '-z', '--full-tree', tree]);
  const entries = new Map<string, { mode: string; id: string }>();
  for (const record of stdout.toString().split('\0').slice(0, -1)) {
    const tab = record.indexOf('\t');
    const [mode = '', , id = ''] = record.slice(0, tab).split(' ');
    entries.set(record.slice(tab + 1), { mode, id });
  }
  return entries;
}

/** A path that differs between two trees, with what the second has there (mode `000000`: nothing). */
export interface TreeChange {
  readonly path: string;
  readonly mode: string;
  readonly id: string;
  readonly before: { readonly mode: string; readonly id: string };
  readonly status: string;
  /** Only of a rename. */
  readonly from?: string;
}

/** Reads the answer of `diff-tree -z --raw` and its like. */
export function parseRaw(output: string): TreeChange[] {
  const parts = output.split('\0');
  const changes: TreeChange[] = [];
  for (let at = 0; at < parts.length;) {
    const record = parts[at] ?? '';
    if (!record.startsWith(':')) {
      at += 1;
      continue;
    }
    const [oldMode = '', mode = '', oldId = '', id = '', status = ''] = record.slice(1).split(' ');
    const isRename = /^[RC]/.test(status);
    const first = parts[at + 1] ?? '';
    changes.push({
      path: isRename ? (parts[at + 2] ?? '') : first,
      mode,
      id,
      before: { mode: oldMode, id: oldId },
      status: status.slice(0, 1),
      ...(isRename ? { from: first } : {}),
    });
    at += isRename ? 3 : 2;
  }
  return changes;
}
