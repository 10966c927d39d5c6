import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { withHeartbeat } from './claims/heartbeat.ts';
import type { ToolCall } from './tool-host.ts';

/** What is at hand once the intent stands. */
interface Begun {
  readonly call: ToolCall;
  readonly idempotencyKey: string;
  readonly epoch: number;
  readonly leaseMs: number;
  /** The time since before the claim. */
  readonly still: () => number;
}

/**
 * Calls the tool of an intent that stands, once, unless too much time has passed since it was claimed: a
 * machine that slept may have lost its claim, and its approval may have expired. What is known is in the
 * journal at each moment; `finish` makes the result of it.
 */
export async function callOnce(
  agent: Agent,
  task: TaskView,
  { call, idempotencyKey, epoch, leaseMs, still }: Begun,
): Promise<void> {
  const proof = { taskId: task.taskId, owner: agent.config.agent, epoch };
  const beatMs = leaseMs / 3;
  // What only lately was its own is not asked for again.
  if (still() >= beatMs && !(await agent.tasks.renew(proof)).won) return;
  const expires = task.approval?.approval.statement.expires ?? '';
  if (agent.clock.now() >= expires) {
    const detail = `the approval expired at ${expires}, before the call; nothing was sent`;
    agent.copy.journal(idempotencyKey, { stage: 'answered', outcome: { status: 'failed', detail } });
    return;
  }
  agent.copy.journal(idempotencyKey, { stage: 'called' });
  await withHeartbeat(agent.tasks, proof, beatMs, async () => {
    const outcome = await agent.tools.call(call);
    // At once: a renewal that hangs must not keep the answer from the disk.
    agent.copy.journal(idempotencyKey, { stage: 'answered', outcome });
  });
}
