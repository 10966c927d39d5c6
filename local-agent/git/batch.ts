import { readFile, writeFile } from 'node:fs/promises';
import type { Zone } from '#protocol/task.ts';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import type { Hooks } from './hooks.ts';
import type { Head } from './head.ts';
import { indexInput, UPDATE_INDEX } from './index-lines.ts';
import { commitMessage } from './message.ts';
import { parseRaw } from './objects.ts';
import type { TreeChange } from './objects.ts';
import { HistoryWaitsError, isTrue } from './repository.ts';
import type { OwnersIndex, Staged } from './owners-index.ts';
import type { Repository } from './repository.ts';
import type { Cause } from './touched-paths.ts';
import type { Workshop } from './workshop.ts';

const DOMAIN = 'ai-employee.invalid';
const SIGN_TIMEOUT_MS = 60_000;
const NO_ENTRY = { mode: '0', id: '' };

/** One path as it is to stand in the commit; an id of zeros takes it out. */
export interface BatchChange {
  readonly path: string;
  readonly mode: string;
  readonly id: string;
  readonly cause: Cause;
  /** The id that Git has there now. */
  readonly before: string | undefined;
}

/** Everything that a batch is committed with. */
export interface BatchContext {
  readonly git: Git;
  readonly repository: Repository;
  readonly head: Head;
  readonly config: ReadonlyMap<string, string>;
  readonly hooks: Hooks;
  readonly workshop: Workshop;
  readonly ownersIndex: OwnersIndex;
  readonly staged: Staged;
  /** This machine's name. */
  readonly agent: string;
  /** The ledger's head that the vault is in step with. */
  readonly ledgerHead: number;
  /** ISO-8601 */
  readonly now: string;
}

/**
 * Makes one commit a zone out of the changes, and moves the branch if it still stands where it stood.
 * Neither the working tree nor what the owner has staged is touched.
 *
 * @returns the new tip, or `undefined` when Git has all of it already.
 * @throws {HistoryWaitsError}
 */
export async function commitBatch(
  context: BatchContext,
  changes: readonly BatchChange[],
): Promise<string | undefined> {
  const { repository, head, workshop, hooks, ownersIndex, staged } = context;
  let tip: { readonly commit: string | undefined; readonly tree: string } = head;
  const done: TreeChange[] = [];
  let refused: HistoryWaitsError | undefined;
  for (const zone of ['cloud', 'local'] as const) {
    const own = changes.filter(({ cause }) => cause.zone === zone);
    if (own.length === 0) continue;
    try {
      const made = await commitZone(context, tip, zone, own);
      tip = made ?? tip;
      done.push(...(made?.diff ?? []));
    } catch (error) {
      // What was committed before still counts.
      if (!(error instanceof HistoryWaitsError)) throw error;
      refused = error;
      break;
    }
  }
  if (tip.commit !== undefined && tip.commit !== head.commit) {
    await ownersIndex.update(repository, staged, tip.tree, done);
    await moveBranch(context, tip.commit);
    await ownersIndex.settle(repository, staged, tip.commit);
    if (refused === undefined) await workshop.keep(tip.tree);
    await hooks.run('post-commit', []).catch(() => undefined);
  }
  // A try that died may have staged what is not wanted any more.
  else if (staged.own.size > 0) {
    await ownersIndex.update(repository, staged, head.tree, []);
    await ownersIndex.settle(repository, staged, head.commit);
  }
  if (refused) throw refused;
  return tip.commit === head.commit ? undefined : tip.commit;
}

async function commitZone(
  context: BatchContext,
  tip: { readonly commit: string | undefined; readonly tree: string },
  zone: Zone,
  changes: readonly BatchChange[],
): Promise<{ commit: string; tree: string; diff: TreeChange[] } | undefined> {
  const { git, hooks, workshop } = context;
  const { indexFile, messageFile } = workshop;
  const env = { GIT_INDEX_FILE: indexFile };
  await git.run(UPDATE_INDEX, { env, input: indexInput(changes) });
  let tree = await git.text(['write-tree'], { env });
  if (tree === tip.tree) return undefined;
  let diff = diffOf(changes);
  if (hooks.has('pre-commit')) {
    // Hooks compare the index with the working tree, for which it has to know the files' times.
    await git.run(['update-index', '-q', '--refresh'], { env, expect: [0, 1] });
    await hooks.run('pre-commit', [], indexFile);
    tree = await git.text(['write-tree'], { env });
    diff = await treeDiff(git, tip.tree, tree);
  }
  const taskIds = new Set(changes.flatMap(({ cause }) => cause.taskId ?? []));
  await writeFile(messageFile, commitMessage(diff, { zone, taskIds, head: context.ledgerHead }));
  await hooks.run('prepare-commit-msg', [messageFile, 'message'], indexFile);
  await hooks.run('commit-msg', [messageFile], indexFile);
  return { commit: await commitTree(context, tip.commit, tree, zone), tree, diff };
}

async function commitTree(
  context: BatchContext,
  parent: string | undefined,
  tree: string,
  zone: Zone,
): Promise<string> {
  const { git, config, workshop, agent, now } = context;
  const signs = isTrue(config.get('commit.gpgsign'));
  const env: Record<string, string> = {
    GIT_AUTHOR_NAME: `AI Employee (${zone})`,
    GIT_AUTHOR_EMAIL: `${zone}@${DOMAIN}`,
    GIT_AUTHOR_DATE: now,
    GIT_COMMITTER_DATE: now,
    // Without a screen or a terminal, a key that is locked is an error and not a question.
    ...(signs ? { DISPLAY: '', WAYLAND_DISPLAY: '', GPG_TTY: '' } : {}),
  };
  const hasOwner = ['user', 'committer'].some(
    (who) => config.has(`${who}.name`) && config.has(`${who}.email`),
  );
  if (!hasOwner) {
    env['GIT_COMMITTER_NAME'] = `AI Employee (${agent})`;
    env['GIT_COMMITTER_EMAIL'] = `${agent}@${DOMAIN}`;
  }
  const message = await readFile(workshop.messageFile);
  try {
    return await git.text(
      [
        'commit-tree',
        tree,
        ...(parent === undefined ? [] : ['-p', parent]),
        ...(signs ? ['-S'] : []),
        '-F',
        '-',
      ],
      { env, input: message, timeoutMs: SIGN_TIMEOUT_MS },
    );
  } catch (error) {
    if (!signs || !(error instanceof GitError)) throw error;
    throw new HistoryWaitsError(
      'the commit could not be signed without asking you (commit.gpgSign is set): unlock the key, or run "git config commit.gpgSign false" in the vault',
      { cause: error },
    );
  }
}

/** Only from where it was read: whoever was faster wins, and this is tried again on top of that. */
async function moveBranch({ git, head }: BatchContext, commit: string): Promise<void> {
  const before = head.commit ?? '0'.repeat(commit.length);
  try {
    await git.run(['update-ref', '-m', 'commit (ai-employee)', head.ref, commit, before]);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new HistoryWaitsError(
      `the branch moved meanwhile, or is locked (${error.message}); it is tried again`,
      {
        cause: error,
      },
    );
  }
}

/** What the changes come to, with the same contents at another path as a rename. */
function diffOf(changes: readonly BatchChange[]): TreeChange[] {
  const isGone = ({ mode }: BatchChange): boolean => mode === '0';
  const gone = new Map(changes.filter(isGone).map((change) => [change.before ?? '', change]));
  const diff: TreeChange[] = [];
  for (const change of changes) {
    if (isGone(change)) continue;
    const { path, mode, id, before } = change;
    const from = before === undefined ? gone.get(id)?.path : undefined;
    if (from !== undefined) gone.delete(id);
    const status = before !== undefined ? 'M' : from !== undefined ? 'R' : 'A';
    diff.push({ path, mode, id, status, before: NO_ENTRY, ...(from === undefined ? {} : { from }) });
  }
  const moved = new Set(diff.map(({ from }) => from));
  for (const { path, mode, id } of changes.filter(isGone)) {
    if (!moved.has(path)) diff.push({ path, mode, id, status: 'D', before: NO_ENTRY });
  }
  return diff;
}

async function treeDiff(git: Git, from: string, to: string): Promise<TreeChange[]> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--find-renames', from, to, '--'];
  return parseRaw((await git.run(args)).stdout.toString());
}
