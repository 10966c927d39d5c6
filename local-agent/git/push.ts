import type { Agent } from '../agent.ts';
import { errorText } from '../error-text.ts';
import { GitError } from './git-command.ts';
import type { Git, GitOptions } from './git-command.ts';
import type { GitSettings } from './git-settings.ts';
import { readFact, writeFact } from './history-facts.ts';
import type { HistoryFact } from './history-facts.ts';
import { headOf, readTip } from './head.ts';
import type { PushStatus } from './history.ts';
import { findOutgoingSecret } from './outgoing-secrets.ts';
import { pushError } from './push-words.ts';
import { findRepository, gitVersion, HistoryWaitsError, readGitConfig } from './repository.ts';

const PUSH_TIMEOUT_MS = 10 * 60_000;
const LIST_TIMEOUT_MS = 60_000;
const FIRST_RETRY_MS = 60_000;
const MAX_RETRY_MS = 4 * 3_600_000;
const MAX_WAIT_MS = 24 * 3_600_000;
const UPKEEP_EVERY_MS = 3_600_000;
const UPKEEP_TIMEOUT_MS = 10 * 60_000;

/** Pushes the vault's branch to the owner's remote from time to time. */
export interface Pusher {
  status(): Promise<PushStatus | undefined>;
  /** Pushes if it is due, tidies if it is due. Never throws; two runs at once are one. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes the pusher; without a remote in the settings it only tidies. */
export function createPusher(agent: Agent, git: Git, settings: GitSettings): Pusher {
  const { copy, clock, config } = agent;
  const { remote } = settings;
  const branch = settings.branch ?? config.agent;
  const to = `${remote ?? ''} ${branch}`;
  let running: Promise<void> | undefined;
  let tidiedMs: number | undefined;

  const fact = (): HistoryFact<'push'> => {
    const known = readFact(copy, 'push');
    return known?.to === to ? known : { to, failures: 0, nextTryAt: '' };
  };
  const pushIfDue = async (signal: AbortSignal): Promise<void> => {
    if (remote === undefined || !isDue(clock.now(), fact().nextTryAt)) return;
    const before = fact();
    try {
      const pushed = await pushOnce(git, config.vault, { remote, branch, known: before.pushed }, signal);
      if (pushed === 'later') {
        writeFact(copy, 'push', { ...before, nextTryAt: later(clock.now(), FIRST_RETRY_MS) });
        return;
      }
      const { error, ...rest } = before;
      const arrived = pushed === undefined ? {} : { pushed: pushed.tip, lastPushAt: clock.now() };
      const nextTryAt = later(clock.now(), settings.pushEveryMinutes * 60_000);
      writeFact(copy, 'push', { ...rest, ...arrived, failures: 0, nextTryAt });
      if (error !== undefined) agent.log('history: pushing again');
    } catch (error) {
      if (signal.aborted) return;
      const failures = before.failures + 1;
      const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(before.failures, 20));
      const message = error instanceof GitError ? pushError(error, remote, branch) : errorText(error).message;
      writeFact(copy, 'push', { ...before, error: message, failures, nextTryAt: later(clock.now(), waitMs) });
      if (message !== before.error) agent.log(`history: not pushed: ${message}`);
    }
  };
  /** The commands that make commits here never tidy up by themselves, as "git commit" does; the owner's gc settings hold. */
  const tidyIfDue = async (signal: AbortSignal): Promise<void> => {
    const nowMs = clock.monotonicMs();
    tidiedMs ??= nowMs;
    if (nowMs - tidiedMs < UPKEEP_EVERY_MS) return;
    tidiedMs = nowMs;
    if (!(await findRepository(git, config.vault))) return;
    const inFront = ['-c', 'gc.autoDetach=false', '-c', 'maintenance.autoDetach=false'];
    await git.run([...inFront, 'maintenance', 'run', '--auto', '--quiet'], {
      timeoutMs: UPKEEP_TIMEOUT_MS,
      signal,
    });
  };
  const work = async (signal: AbortSignal): Promise<void> => {
    try {
      if (signal.aborted) return;
      await pushIfDue(signal);
      await tidyIfDue(signal);
    } catch (error) {
      if (!signal.aborted) agent.log(`history: ${errorText(error).message}`);
    } finally {
      running = undefined;
    }
  };
  return {
    run: (signal) => (running ??= work(signal)),
    async status() {
      if (remote === undefined) return undefined;
      const { pushed, lastPushAt, error, nextTryAt } = fact();
      return {
        remote,
        branch,
        lastPushAt: lastPushAt ?? null,
        ahead: await countAhead(git, pushed),
        ...(error === undefined ? {} : { error, nextTryAt }),
      };
    },
  };
}

/** Answers what was pushed, `undefined` when the remote has it all, or `later` while the branch is not to be had. */
async function pushOnce(
  git: Git,
  vault: string,
  target: { readonly remote: string; readonly branch: string; readonly known: string | undefined },
  signal: AbortSignal,
): Promise<{ readonly tip: string } | 'later' | undefined> {
  await gitVersion(git);
  const [repository, at] = await Promise.all([findRepository(git, vault), readTip(git, [])]);
  if (!repository) return undefined;
  let tip: string | undefined;
  try {
    tip = (await headOf(git, repository, at)).commit;
  } catch (error) {
    // In the midst of a rebase, or on no branch: what is checked out is not the branch that is pushed.
    if (error instanceof HistoryWaitsError) return 'later';
    throw error;
  }
  if (tip === undefined || tip === target.known) return undefined;
  if (target.known !== undefined && (await isAncestor(git, tip, target.known))) return undefined;
  const config = await readGitConfig(git);
  const ssh = git.quietSsh(config);
  const env: Record<string, string> = ssh === undefined ? {} : { GIT_SSH_COMMAND: ssh };
  const there = await onRemote(git, config, target.remote, { env, signal });
  const secret = await findOutgoingSecret(git, tip, there, signal);
  if (secret) {
    const what = secret.path === undefined ? 'has a message that must not go out' : `holds ${secret.path}`;
    throw new HistoryWaitsError(
      `commit ${secret.commit.slice(0, 10)} ${what}, and ${secret.why}: nothing was pushed. ` +
        'Take it out of the history with git filter-repo, or push by hand if it is none',
    );
  }
  await git.run(
    [
      ...['-c', 'http.lowSpeedLimit=1000', '-c', 'http.lowSpeedTime=60'],
      ...['push', '--porcelain', '--no-follow-tags', '--recurse-submodules=no', '--', target.remote],
      // Exactly what was looked at, and never with force.
      `${tip}:refs/heads/${target.branch}`,
    ],
    { timeoutMs: PUSH_TIMEOUT_MS, signal, env },
  );
  return { tip };
}

/**
 * The tips of branches that every place has to which is pushed, as far as they are here as well. They are asked:
 * what is remembered of a remote may be gone there, and may be that of another address than pushes go to.
 */
async function onRemote(
  git: Git,
  config: ReadonlyMap<string, string>,
  remote: string,
  options: GitOptions,
): Promise<string[]> {
  const isNamed = config.has(`remote.${remote}.url`) || config.has(`remote.${remote}.pushurl`);
  const urls = isNamed
    ? (await git.text(['remote', 'get-url', '--push', '--all', remote])).split('\n')
    : [remote];
  let common: string[] | undefined;
  for (const url of urls) {
    const { stdout } = await git.run(['ls-remote', '--quiet', '--heads', '--', url], {
      ...options,
      timeoutMs: LIST_TIMEOUT_MS,
    });
    const tips = new Set(
      stdout
        .toString()
        .split('\n')
        .map((line) => line.split('\t')[0] ?? ''),
    );
    common = common ? common.filter((tip) => tips.has(tip)) : [...tips].filter((tip) => tip !== '');
  }
  if (!common || common.length === 0) return [];
  const { stdout } = await git.run(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
    input: common.map((tip) => `${tip}\n`).join(''),
  });
  const lines = stdout.toString().split('\n');
  return common.filter((tip) => lines.includes(`${tip} commit`));
}

async function isAncestor(git: Git, one: string, of: string): Promise<boolean> {
  const { status } = await git.run(['merge-base', '--is-ancestor', one, of], { expect: [0, 1, 128] });
  return status === 0;
}

async function countAhead(git: Git, pushed: string | undefined): Promise<number> {
  const known = pushed !== undefined && (await isCommit(git, pushed)) ? ['--not', pushed] : [];
  return Number(await git.text(['rev-list', '--count', 'HEAD', ...known, '--']));
}

async function isCommit(git: Git, id: string): Promise<boolean> {
  const { status } = await git.run(['cat-file', '-e', `${id}^{commit}`], { expect: [0, 1, 128] });
  return status === 0;
}

/** A time that no wait leads to was noted by a clock that was wrong. */
function isDue(now: string, nextTryAt: string): boolean {
  return now >= nextTryAt || nextTryAt > later(now, MAX_WAIT_MS);
}

function later(now: string, ms: number): string {
  return new Date(Date.parse(now) + ms).toISOString();
}
