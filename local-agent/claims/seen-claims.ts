import { z } from 'zod';
import type { Task } from '#protocol/task.ts';
import type { Agent } from '../agent.ts';

const NAME = 'seenClaims';
const Seen = z.record(z.string(), z.object({ epoch: z.int(), heartbeat: z.int(), at: z.string() })).catch({});
const MAX_SEEN = 200;

/** Notes, to be shown and for nothing else, when a claim was first seen as it stands. */
export function noteSeen(agent: Pick<Agent, 'copy' | 'clock'>, { taskId, epoch, heartbeat }: Task): void {
  const { [taskId]: _before, ...others } = allSeen(agent);
  const kept = Object.fromEntries(Object.entries(others).slice(-MAX_SEEN));
  const seen = { ...kept, [taskId]: { epoch, heartbeat, at: agent.clock.now() } };
  agent.copy.setFact(NAME, JSON.stringify(seen));
}

/** Since when a claim was seen as it stands, if this machine's daemon has seen it. */
export function silentSince(agent: Pick<Agent, 'copy'>, item: Task): string | undefined {
  const seen = allSeen(agent)[item.taskId];
  const isSame = item.owner !== undefined && seen?.epoch === item.epoch && seen.heartbeat === item.heartbeat;
  return isSame ? seen.at : undefined;
}

function allSeen(agent: Pick<Agent, 'copy'>): z.infer<typeof Seen> {
  const text = agent.copy.fact(NAME);
  return text === undefined ? {} : Seen.parse(JSON.parse(text));
}
