import type { Agent } from '../agent.ts';
import type { LedgerProof } from './verify-ledger.ts';
import { problem } from './problem.ts';
import type { Problem } from './problem.ts';

/** The fact that names the entry up to which this machine's journal of effects was lost. */
export const JOURNAL_LOST = 'journalLostTo';

/**
 * Compares what this machine knows to have called with what the ledger says that it began: every call has
 * its intent, and every success that is said to be this machine's was its call.
 */
export function verifyEffects(
  { copy, config }: Pick<Agent, 'copy' | 'config'>,
  { intents, state }: Pick<LedgerProof, 'intents' | 'state'>,
): Problem[] {
  const problems: Problem[] = [];
  for (const key of copy.calledEffects()) {
    if (state.effects.has(key)) continue;
    const message = `this machine called a tool (${key}), and the ledger has no intent of it`;
    problems.push(problem('effect', message, { taskId: key.replace(/-\d+$/, '') }));
  }
  const lostTo = Number(copy.fact(JOURNAL_LOST) ?? 0);
  for (const { n, key, taskId, writer, result } of intents.values()) {
    if (writer !== config.agent || result?.outcome !== 'succeeded' || n <= lostTo) continue;
    const known = copy.journaled(key);
    if (known?.stage === 'answered' && known.outcome.status === 'succeeded') continue;
    const what = known ? `knows it as ${known.stage}` : 'has no record of it';
    const message = `the ledger says that this machine's call ${key} succeeded, and this machine ${what}`;
    problems.push(problem('effect-unmade', message, { n: result.n, taskId }));
  }
  return problems;
}
