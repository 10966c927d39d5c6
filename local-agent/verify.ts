import { sha256Hex } from '#protocol/canonical.ts';
import { LedgerIntegrityError, SealError } from '#protocol/errors.ts';
import { entryHash } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { notePath, vaultTree } from '#protocol/vault-state.ts';
import { taskFolderOf } from '#protocol/vault-path.ts';
import { requireReadable, writerOf } from './agent.ts';
import type { Agent } from './agent.ts';
import { load } from './contents.ts';
import { scanVault } from './sync/scan.ts';
import { checkSentinel } from './sync/sentinel.ts';

/** One thing that is not as it should be. */
export interface Problem {
  readonly code: 'ledger' | 'copy' | 'incident' | 'vault' | 'content' | 'task' | 'effect';
  readonly n?: number;
  readonly taskId?: string;
  readonly path?: string;
  readonly message: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  /** Entries of the ledger that were read and found good. */
  readonly entries: number;
  readonly tasks: number;
  readonly files: number;
  readonly problems: readonly Problem[];
}

const ENDED = new Set(['done', 'ignored', 'rejected', 'received']);

/**
 * Proves the vault from the ledger alone: reads all of it afresh, checks chain and signatures of every
 * entry, replays the rules, and compares with the copy of this machine, the files of the vault, the
 * stored contents and the tasks' items. Changes nothing.
 */
export async function verifyVault(agent: Agent): Promise<VerifyReport> {
  await checkSentinel(agent);
  const problems: Problem[] = [];
  const state = await verifyLedger(agent, problems);
  for (const refusal of state.refusals) {
    if (refusal.severity !== 'incident') continue;
    const { n, taskId, message, writer } = refusal;
    problems.push({
      code: 'incident',
      n,
      ...(taskId ? { taskId } : {}),
      message: `${message} (${writer}); refused`,
    });
  }
  // Behind a bad entry nothing is known, and comparing the vault with half a ledger would only bury the cause.
  if (!problems.some(({ code }) => code === 'ledger' || code === 'copy')) {
    await verifyTree(agent, state, problems);
    await verifyTasks(agent, state, problems);
    verifyEffects(agent, state, problems);
  }
  return {
    ok: problems.length === 0,
    entries: state.head.n,
    tasks: state.tasks.size,
    files: vaultTree(state).size,
    problems,
  };
}

async function verifyLedger(agent: Agent, problems: Problem[]): Promise<VaultState> {
  let forked = false;
  const session = new LedgerSession(writerOf(agent), agent.config.root, agent, (verified) => {
    requireReadable(verified);
    const { entry } = verified;
    const known = agent.copy.hashOf(entry.n);
    if (known === undefined || known === entryHash(entry) || forked) return;
    forked = true;
    problems.push({
      code: 'copy',
      n: entry.n,
      message: `ledger entry ${entry.n} is not the one this machine saw before`,
    });
  });
  try {
    await session.pull();
  } catch (error) {
    if (!(error instanceof LedgerIntegrityError)) throw error;
    problems.push({ code: 'ledger', n: error.n, message: error.message });
    return session.state;
  }
  const last = agent.copy.last();
  if (last > session.state.head.n) {
    const n = session.state.head.n + 1;
    problems.push({
      code: 'copy',
      n,
      message: `ledger entry ${n} is gone: this machine saw entries up to ${last}`,
    });
  }
  return session.state;
}

/** The vault's files against the replayed tree, and every stored content against its hash. */
async function verifyTree(agent: Agent, state: VaultState, problems: Problem[]): Promise<void> {
  const scan = await scanVault(agent);
  const tree = vaultTree(state);
  for (const [path, content] of tree) {
    const ring = taskFolderOf(path) ? 'shared' : (state.files.get(path)?.ring ?? 'shared');
    try {
      await load(agent, content, ring);
    } catch (error) {
      const why = error instanceof SealError ? error.message : `cannot be read (${(error as Error).name})`;
      problems.push({ code: 'content', path, message: `the stored contents of ${path}: ${why}` });
    }
    const disk = await agent.files.read(path);
    if (!disk)
      problems.push({ code: 'vault', path, message: `${path} is in the ledger and not in the vault` });
    else if (sha256Hex(disk) !== content.sha256) {
      problems.push({
        code: 'vault',
        path,
        message: `${path} is not what the ledger says; "employee sync" takes or undoes the change`,
      });
    }
  }
  for (const path of scan.files.keys()) {
    if (taskFolderOf(path) && !tree.has(path)) {
      problems.push({
        code: 'vault',
        path,
        message: `${path} stands in a folder of tasks and belongs to none`,
      });
    }
  }
}

/** What this machine knows to have called against the intents of the ledger. */
function verifyEffects(agent: Agent, state: VaultState, problems: Problem[]): void {
  for (const key of agent.copy.calledEffects()) {
    if (state.effects.has(key)) continue;
    const taskId = key.replace(/-\d+$/, '');
    problems.push({
      code: 'effect',
      taskId,
      message: `this machine called a tool (${key}), and the ledger has no intent of it`,
    });
  }
}

/** The items of open tasks against the ledger. */
async function verifyTasks(agent: Agent, state: VaultState, problems: Problem[]): Promise<void> {
  for (const task of state.tasks.values()) {
    if (ENDED.has(task.state)) continue;
    const item = await agent.tasks.get(task.taskId);
    const message = disagreement(task, item, agent.config.agent);
    if (message !== undefined) {
      problems.push({ code: 'task', taskId: task.taskId, path: notePath(task) ?? '', message });
    }
  }
}

function disagreement(
  task: TaskView,
  item: Awaited<ReturnType<Agent['tasks']['get']>>,
  self: string,
): string | undefined {
  if (!item) return `the ledger has this task as ${task.state}, the task store has no item of it`;
  if (item.epoch < task.epoch)
    return `the task store is behind: epoch ${item.epoch}, the ledger says ${task.epoch}`;
  if (item.owner === self && task.state !== 'executing') {
    return `the task store says that this machine holds the task, and nothing is being executed; "employee execute" settles it`;
  }
  // Someone may be at work this very moment, between the item and the entry.
  if (item.owner !== undefined || item.state === task.state || item.state === 'received') return undefined;
  return `the task store says ${item.state}, the ledger says ${task.state}`;
}
