import type { Agent } from '../agent.ts';
import type { Problem } from '../verify/problem.ts';
import { openIncidents, prove } from '../verify/verify.ts';
import type { VerifyProgress } from '../verify/verify.ts';
import { JOURNAL_LOST } from '../verify/verify-effects.ts';
import type { BadTask } from '../verify/verify-tasks.ts';
import { planContents } from './plan-contents.ts';
import { planFiles } from './plan-files.ts';
import { planTasks } from './plan-tasks.ts';
import type { Repair, RepairOptions, RepairPlan } from './repair.ts';
import { planVault } from './restore-vault.ts';

/** What a repair in several steps knows of the steps before. */
interface PlanContext extends RepairOptions {
  /** A sync was one of them. @default false */
  readonly synced?: boolean;
  readonly progress?: VerifyProgress;
}

/**
 * Proves the vault and says what can be mended, and what cannot. A ledger that is not whole is never
 * mended here, and nothing is built upon it. Changes nothing.
 */
export async function planRepairs(agent: Agent, context: PlanContext): Promise<RepairPlan> {
  const vault = await planVault(agent, context);
  if (vault) return vault;
  const proof = await prove(agent, context.progress ? { progress: context.progress } : {});
  const { ledger, tree, notices } = proof;
  const left: Problem[] = [...ledger.problems, ...openIncidents(ledger.state)];
  if (!proof.whole) return { repairs: [], left };
  const contents = await planContents(agent, proof.contents, ledger.stored, context.acceptLoss ?? []);
  const journal = planJournal(proof.effects);
  return {
    repairs: [
      ...contents.repairs,
      ...planFiles(tree, notices, context.synced ?? false),
      ...planTasks(proof.tasks.filter(isMendable)),
      ...journal,
    ],
    left: [
      ...left,
      ...contents.left,
      ...(context.synced ? tree.filter(({ code }) => code !== 'vault-missing') : []),
      ...proof.tasks.filter((bad) => !isMendable(bad)).map((bad) => bad.problem),
      ...proof.effects.filter((problem) => !isForgotten(problem)),
    ],
  };
}

/** Of a journal that was lost, this machine cannot say any more what it called: the ledger is believed. */
function planJournal(effects: readonly Problem[]): Repair[] {
  const forgotten = effects.filter(isForgotten);
  const last = Math.max(0, ...forgotten.map(({ n }) => n ?? 0));
  if (last === 0) return [];
  return [
    {
      code: 'journal',
      what: `note that this machine's journal of calls was lost up to entry ${last}`,
      why: `the ledger has ${forgotten.length} of its calls that it has no record of; only right if its ledger.db was lost or restored`,
      keeps: 'the ledger as it is; nothing is called again',
      recordAs: `journal ${last}`,
      act: async ({ copy }) => copy.setFact(JOURNAL_LOST, String(last)),
    },
  ];
}

/** An item that cannot be read has no version by which it could be replaced. */
function isMendable({ problem }: BadTask): boolean {
  return problem.code !== 'task-unreadable';
}

function isForgotten({ code, message }: Problem): boolean {
  return code === 'effect-unmade' && message.endsWith('has no record of it');
}
