import { vaultTree } from '#protocol/vault-state.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import type { Agent } from '../agent.ts';
import { checkSentinel } from '../sync/sentinel.ts';
import { problem } from './problem.ts';
import type { Notice, Problem } from './problem.ts';
import { verifyArchive } from './verify-archive.ts';
import { verifyContents } from './verify-contents.ts';
import type { BadContent } from './verify-contents.ts';
import { verifyEffects } from './verify-effects.ts';
import { verifyLedger } from './verify-ledger.ts';
import type { LedgerProof } from './verify-ledger.ts';
import { verifyTasks } from './verify-tasks.ts';
import type { BadTask } from './verify-tasks.ts';
import { verifyTree } from './verify-tree.ts';

/** What was read, and everything that is not as it should be. */
export interface VerifyReport {
  /** No problem was found; notices do not count. */
  readonly ok: boolean;
  /** Entries of the ledger that were read and found good. */
  readonly entries: number;
  readonly tasks: number;
  readonly files: number;
  /** Stored contents that the ledger names outside of itself. */
  readonly contents: number;
  readonly problems: readonly Problem[];
  readonly notices: readonly Notice[];
}

/** How far a long proof has come. */
export type VerifyProgress = (what: 'entries' | 'contents', done: number, total?: number) => void;

/** Everything that was found, with what a repair needs to know. */
export interface Proof {
  readonly ledger: LedgerProof;
  /** Whether the ledger itself is whole. Behind a bad entry nothing is known, and nothing else is looked at. */
  readonly whole: boolean;
  readonly archive: readonly Problem[];
  readonly contents: readonly BadContent[];
  readonly tree: readonly Problem[];
  readonly tasks: readonly BadTask[];
  readonly effects: readonly Problem[];
  readonly notices: readonly Notice[];
}

interface ProofOptions {
  readonly quick?: boolean;
  readonly progress?: VerifyProgress;
}

/**
 * Proves the vault from the ledger alone: reads all of it afresh, checks every entry, and compares with
 * the copy of this machine, the files of the vault, the stored contents, the tasks' items and the journal
 * of effects. Changes nothing but the note of which contents were found good.
 *
 * @param options.quick leave out contents that this machine found good before. @default false
 * @throws {NotAVaultError} when the folder is not this ledger's vault; whatever the stores throw when they
 * cannot be reached: nothing is proved then.
 */
export async function verifyVault(agent: Agent, options: ProofOptions = {}): Promise<VerifyReport> {
  await checkSentinel(agent);
  const { ledger, archive, contents, tree, tasks, effects, notices } = await prove(agent, options);
  const { state, stored } = ledger;
  const problems = [
    ...ledger.problems,
    ...archive,
    ...openIncidents(state),
    ...contents.map((bad) => bad.problem),
    ...tree,
    ...tasks.map((bad) => bad.problem),
    ...effects,
  ];
  return {
    ok: problems.length === 0,
    entries: state.head.n,
    tasks: state.tasks.size,
    files: vaultTree(state).size,
    contents: stored.size,
    problems,
    notices,
  };
}

/** The proof in its parts. */
export async function prove(agent: Agent, options: ProofOptions = {}): Promise<Proof> {
  const { progress = () => undefined, quick = false } = options;
  const ledger = await verifyLedger(agent, (done) => progress('entries', done));
  const { state, problems } = ledger;
  const notices = [...acknowledged(state), ...conflicts(state)];
  const whole = !problems.some(({ code }) => code === 'ledger' || code === 'copy');
  // Comparing the vault with half a ledger would only bury the cause.
  if (!whole) return { ledger, whole, archive: [], contents: [], tree: [], tasks: [], effects: [], notices };
  const contents = await verifyContents(agent, ledger, {
    quick,
    progress: (done, total) => progress('contents', done, total),
  });
  const tree = await verifyTree(agent, state);
  const archive = await verifyArchive(agent, ledger);
  return {
    ledger,
    whole,
    archive: archive.problems,
    contents: contents.bad,
    tree: tree.problems,
    tasks: await verifyTasks(agent, state),
    effects: verifyEffects(agent, ledger),
    notices: [...notices, ...archive.notices, ...tree.notices, ...contents.notices],
  };
}

/** The refused entries that nobody has acknowledged. */
export function openIncidents({ refusals, acknowledged: known }: VaultState): Problem[] {
  return refusals
    .filter(({ severity, n }) => severity === 'incident' && !known.has(n))
    .map(({ n, taskId, message, writer }) =>
      problem('incident', `${message} (${writer}); refused`, { n, ...(taskId ? { taskId } : {}) }),
    );
}

function acknowledged({ refusals, acknowledged: known }: VaultState): Notice[] {
  return refusals
    .filter(({ severity, n }) => severity === 'incident' && known.has(n))
    .map(({ n, message, writer }) => ({
      code: 'acknowledged',
      n,
      message: `${message} (${writer}); refused, and acknowledged by a person`,
    }));
}

function conflicts(state: VaultState): Notice[] {
  return [...state.conflicts.values()].map(({ n, path, copy }) => ({
    code: 'conflict',
    n,
    path,
    message: `both versions are kept, the other as ${copy}; "employee conflicts" settles it`,
  }));
}
