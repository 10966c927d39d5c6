import type { Agent } from '../agent.ts';
import { errorText } from '../error-text.ts';
import type { VaultChange } from '../sync/vault-change.ts';
import { createGit, GitMissingError } from './git-command.ts';
import type { Git } from './git-command.ts';
import { GitSettings } from './git-settings.ts';
import { readFact, writeFact } from './history-facts.ts';
import type { HistoryFact } from './history-facts.ts';
import type { HistoryStatus, VaultHistory } from './history.ts';
import { headOf, readTip } from './head.ts';
import { createLocator } from './locator.ts';
import type { Locator } from './locator.ts';
import { createOwnersIndex } from './owners-index.ts';
import { createPusher } from './push.ts';
import { gitVersion, HistoryOffError } from './repository.ts';
import { commitVault } from './vault-commit.ts';

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

interface HistoryOptions {
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}

/** The vault's history in the Git repository of its folder. */
export function createGitHistory(agent: Agent, options: HistoryOptions = {}): VaultHistory {
  const { copy, config, session, clock } = agent;
  const settings = GitSettings.parse(config.git ?? {});
  const git = createGit(config.vault, options.env ?? process.env);
  const locate = createLocator(git, config.vault);
  const ownersIndex = createOwnersIndex(git);
  const pusher = createPusher(agent, git, settings);
  let version: Promise<readonly [number, number]> | undefined;
  /** Set while a commit waits: nothing is tried again for the same work before that. */
  let waits: { readonly head: number; readonly untilMs: number; readonly waitMs: number } | undefined;

  const tryCommit = async (changes: readonly VaultChange[]): Promise<HistoryFact<'state'>> => {
    try {
      version ??= gitVersion(git);
      await commitVault(agent, { git, locate, ownersIndex, settings, version: await version }, changes);
      return { state: 'ready' };
    } catch (error) {
      version = undefined;
      const isOff = error instanceof GitMissingError || error instanceof HistoryOffError;
      return { state: isOff ? 'off' : 'waiting', why: errorText(error).message };
    }
  };
  return {
    async commit(changes) {
      const head = session.state.head.n;
      if (changes.length === 0 && readFact(copy, 'mark')?.n === head) return;
      if (changes.length === 0 && waits?.head === head && clock.monotonicMs() < waits.untilMs) return;
      const before = readFact(copy, 'state');
      const now = await tryCommit(changes);
      const waitMs = Math.min(MAX_WAIT_MS, waits ? waits.waitMs * 2 : FIRST_WAIT_MS);
      waits = now.state === 'ready' ? undefined : { head, waitMs, untilMs: clock.monotonicMs() + waitMs };
      writeFact(copy, 'state', now);
      if (now.why !== undefined && now.why !== before?.why) agent.log(`history: ${now.why}`);
      if (now.state === 'ready' && before?.state === 'waiting') agent.log('history: committing again');
    },
    async status() {
      const committedTo = readFact(copy, 'mark')?.n ?? 0;
      const leftOut = readFact(copy, 'leftOut') ?? [];
      const known = { committedTo, leftOut };
      try {
        await gitVersion(git);
        const branch = await branchOf(git, locate);
        const push = branch.commit === undefined ? undefined : await pusher.status();
        return { ...stateNow(agent, committedTo), ...known, ...branch, ...(push ? { push } : {}) };
      } catch (error) {
        const isOff = error instanceof GitMissingError || error instanceof HistoryOffError;
        return { state: isOff ? 'off' : 'waiting', why: errorText(error).message, ...known };
      }
    },
    background: (signal) => pusher.run(signal),
  };
}

/** What the last try said holds until there is nothing left to commit. */
function stateNow({ copy, session }: Agent, committedTo: number): Pick<HistoryStatus, 'state' | 'why'> {
  const fact = readFact(copy, 'state');
  if (!fact || fact.state === 'ready' || committedTo === session.state.head.n) return { state: 'ready' };
  return { state: fact.state, ...(fact.why === undefined ? {} : { why: fact.why }) };
}

async function branchOf(git: Git, locate: Locator): Promise<Pick<HistoryStatus, 'branch' | 'commit'>> {
  const [found, tip] = await Promise.all([locate(), readTip(git, [])]);
  if (!found) return {};
  if (!tip.isThere) await locate(true);
  const { ref, commit } = await headOf(git, found.repository, tip);
  return { branch: ref.replace(/^refs\/heads\//, ''), ...(commit === undefined ? {} : { commit }) };
}
