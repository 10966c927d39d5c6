import type { Agent } from '../agent.ts';
import type { VaultChange } from '../sync/vault-change.ts';
import { commitBatch } from './batch.ts';
import { collect } from './collect.ts';
import { excludeOwn } from './exclude.ts';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import type { GitSettings } from './git-settings.ts';
import { readFact, writeFact } from './history-facts.ts';
import { ownersHooks } from './hooks.ts';
import { openWorkshop, readStaged } from './index-files.ts';
import { keepLeftOut } from './left-out.ts';
import { treeEntries } from './objects.ts';
import { findHead, makeRepository, readGitConfig } from './repository.ts';
import type { Head, Repository } from './repository.ts';
import { scopeOf } from './scope.ts';
import { select } from './selection.ts';

/**
 * Brings the repository of the vault in step with the ledger: of what was touched since the last time,
 * what stands in the vault as the ledger has it is committed. Makes the repository if there is none.
 *
 * @param version of Git.
 * @throws {HistoryWaitsError} {@link HistoryOffError} {@link GitError}
 */
export async function commitVault(
  agent: Agent,
  git: Git,
  version: readonly [number, number],
  settings: GitSettings,
  changes: readonly VaultChange[],
): Promise<void> {
  const ledgerHead = agent.session.state.head.n;
  const isFirst = readFact(agent.copy, 'mark') === undefined;
  const [config, { repository, head }] = await Promise.all([
    readGitConfig(git),
    openRepository(git, agent.config.vault, isFirst),
  ]);
  const hooks = ownersHooks(git, repository, config, version);
  const scope = await scopeOf(agent, git, head, changes, config.get('core.sparsecheckout') === 'true');
  const workshop = await openWorkshop(git, repository, head);
  try {
    const selection = await select(agent, scope.touched, settings.maxFileBytes);
    // Where the file system has no modes, those that Git has are needed.
    const isModeless = config.get('core.filemode') === 'false';
    const entries = scope.entries ?? (isModeless ? await treeEntries(git, head.tree) : undefined);
    const collector = { agent, git, repository, settings, config, entries };
    const [{ changes: batch, leftOut, later }, staged] = await Promise.all([
      collect(collector, selection, workshop.indexFile),
      readStaged(git, repository, head),
    ]);
    const context = {
      ...{ git, repository, head, config, hooks, workshop, staged, ledgerHead },
      agent: agent.config.agent,
      now: agent.clock.now(),
    };
    const tip = await commitBatch(context, batch);
    await keepLeftOut(agent, git, head, scope, leftOut);
    writeFact(agent.copy, 'pending', later);
    writeFact(agent.copy, 'mark', { n: ledgerHead, tip: tip ?? head.commit ?? '' });
  } finally {
    await workshop.close();
  }
}

async function openRepository(
  git: Git,
  vault: string,
  isFirst: boolean,
): Promise<{ readonly repository: Repository; readonly head: Head }> {
  const found = await findHead(git, vault);
  if (found) {
    if (isFirst) await excludeOwn(found.repository.excludeFile, false);
    return found;
  }
  await makeRepository(git);
  const made = await findHead(git, vault);
  if (!made) throw new GitError('init', null, 'made no repository');
  await excludeOwn(made.repository.excludeFile, true);
  return made;
}
