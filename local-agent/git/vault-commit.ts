import type { Agent } from '../agent.ts';
import type { VaultChange } from '../sync/vault-change.ts';
import { commitBatch } from './batch.ts';
import { collect } from './collect.ts';
import { excludeOwn } from './exclude.ts';
import { foreignFolders } from './foreign-folders.ts';
import { GitError } from './git-command.ts';
import type { Git } from './git-command.ts';
import type { GitSettings } from './git-settings.ts';
import { headOf, readTip } from './head.ts';
import type { Tip } from './head.ts';
import { readFact, writeFact } from './history-facts.ts';
import { ownersHooks } from './hooks.ts';
import { keepLeftOut } from './left-out.ts';
import type { Located, Locator } from './locator.ts';
import { treeEntries } from './objects.ts';
import type { OwnersIndex } from './owners-index.ts';
import { isTrue, makeRepository } from './repository.ts';
import { scopeOf, touchedSinceMark } from './scope.ts';
import { select } from './selection.ts';
import { openWorkshop } from './workshop.ts';

/** What commits are made with. */
export interface VaultGit {
  readonly git: Git;
  readonly locate: Locator;
  readonly ownersIndex: OwnersIndex;
  readonly settings: GitSettings;
  readonly version: readonly [major: number, minor: number];
}

/**
 * Brings the repository of the vault in step with the ledger: of what was touched since the last time,
 * what stands in the vault as the ledger has it is committed. Makes the repository if there is none.
 *
 * @throws {HistoryWaitsError} {@link HistoryOffError} {@link GitError}
 */
export async function commitVault(
  agent: Agent,
  vaultGit: VaultGit,
  changes: readonly VaultChange[],
): Promise<void> {
  const { git, settings, ownersIndex } = vaultGit;
  const ledgerHead = agent.session.state.head.n;
  const touched = touchedSinceMark(agent, changes);
  const { repository, config, tip } = await openTip(agent, vaultGit, [...(touched?.keys() ?? [])]);
  const head = await headOf(git, repository, tip);
  const hooks = ownersHooks(git, repository, config, vaultGit.version);
  const scope = await scopeOf(agent, git, tip, touched, isTrue(config.get('core.sparsecheckout')));
  const selection = await select(agent, scope, settings.maxFileBytes);
  const puts = selection.puts.map(({ path }) => path);
  const foreign = await foreignFolders(git, agent.config.vault, head.tree, puts);
  // Where the file system has no modes, those that Git has are needed.
  const isModeless = !isTrue(config.get('core.filemode') ?? 'true');
  const kept = isModeless ? await treeEntries(git, head.tree) : scope.kept;
  const [{ changes: batch, leftOut, later }, staged] = await Promise.all([
    collect({ agent, git, repository, settings, config, kept, foreign }, selection),
    ownersIndex.read(repository, head),
  ]);
  let made: string | undefined;
  if (batch.length > 0 || staged.own.size > 0) {
    const workshop = await openWorkshop(git, repository, head);
    try {
      const context = { git, repository, head, config, hooks, workshop, ownersIndex, staged, ledgerHead };
      const now = agent.clock.now();
      made = await commitBatch({ ...context, agent: agent.config.agent, now }, batch);
    } catch (error) {
      // Should it be damaged, the next try begins without it.
      if (error instanceof GitError) await workshop.forget();
      throw error;
    } finally {
      await workshop.close();
    }
  }
  keepLeftOut(agent, scope, leftOut);
  writeFact(agent.copy, 'pending', later);
  writeFact(agent.copy, 'mark', { n: ledgerHead, tip: made ?? head.commit ?? '' });
}

async function openTip(
  agent: Agent,
  vaultGit: VaultGit,
  paths: readonly string[],
): Promise<Located & { readonly tip: Tip }> {
  const { git, locate } = vaultGit;
  const [located, tip] = await Promise.all([locate(), readTip(git, paths)]);
  if (located && tip.isThere && readFact(agent.copy, 'mark')) return { ...located, tip };
  const opened = await openRepository(agent, vaultGit);
  return { ...opened, tip: await readTip(git, paths) };
}

async function openRepository(agent: Agent, { git, locate }: VaultGit): Promise<Located> {
  const found = await locate(true);
  if (found) {
    const isFirst = readFact(agent.copy, 'mark') === undefined;
    if (isFirst) await excludeOwn(found.repository.excludeFile, false);
    return found;
  }
  await makeRepository(git);
  const made = await locate(true);
  if (!made) throw new GitError('init', null, 'made no repository');
  await excludeOwn(made.repository.excludeFile, true);
  return made;
}
