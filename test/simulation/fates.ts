import { chance, drawsOf, waitMs } from './kernel/draws.ts';
import { FAULTS_OF } from './kernel/fate.ts';
import type { Call, Fate, FateOf } from './kernel/fate.ts';
import type { Plan } from './plan.ts';

const MEAN_MS = { service: 15, tool: 50, disk: 0.5, database: 0 } as const;
const MEAN_SLOW_MS = 20_000;

/** Most calls only look, and a fault there is soon forgotten. Those that change something have most of the faults. */
const ACTS = new Set([
  'ledger.append',
  'tasks.begin',
  'tasks.claim',
  'tasks.settle',
  'tasks.release',
  'tasks.transfer',
  'tasks.takeover',
  'tasks.suspect',
  'tasks.mend',
  'queue.send',
  'blobs.put',
  'inventory.remove',
  'secret.write',
  'keys.write',
  'ses.send',
  'tools.call',
  'files.write',
  'files.move',
  'files.remove',
  'copy.keep',
  'copy.journal',
  'copy.noteClaim',
  'copy.setNoteAt',
]);
const ACTING_WEIGHT = 8;
const LOOKING_WEIGHT = 0.1;

/**
 * The fates of a plan's calls: drawn for each call from the seed, its name and its number, so that leaving one out
 * changes no other.
 *
 * @param happened told of each fault that is to happen, by the name with which it can be left out.
 */
export function fatesOf(plan: Plan, happened: (name: string) => void): FateOf {
  const { seed, faults, slow, without, only } = plan;
  return (call: Call): Fate => {
    const { kind, name: callee, nth } = call;
    const draw = drawsOf(seed, 'call', callee, nth);
    const mean = MEAN_MS[kind];
    const weight = ACTS.has(`${call.port}.${call.method}`) ? ACTING_WEIGHT : LOOKING_WEIGHT;
    const allowed = (what: string): boolean => {
      const name = `${callee}/${nth}/${what}`;
      const isWanted = only ? only.has(name) : without?.has(name) !== true;
      if (isWanted) happened(name);
      return isWanted;
    };
    let [requestMs, replyMs] = [waitMs(draw, mean), waitMs(draw, mean)];
    if (kind !== 'database' && chance(draw, slow)) {
      const [early, late] = [waitMs(draw, MEAN_SLOW_MS), waitMs(draw, MEAN_SLOW_MS)];
      if (allowed('slow')) [requestMs, replyMs] = [requestMs + early, replyMs + late];
    }
    for (const fault of FAULTS_OF[kind]) {
      if (chance(draw, (faults[fault] ?? 0) * weight) && allowed(fault)) return { requestMs, replyMs, fault };
    }
    return { requestMs, replyMs };
  };
}
