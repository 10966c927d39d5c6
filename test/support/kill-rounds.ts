import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { notePath } from '#protocol/vault-state.ts';
import { createFlowWorld } from './flow-world.ts';
import type { FlowWorld } from './flow-world.ts';

let world: FlowWorld;

/** Starts `employee execute` and kills it with SIGKILL after a while, unless it was done before. */
async function executeKilledAfter(ms: number): Promise<'killed' | 'ended'> {
  const { file, args, env } = world.command('execute', '--json');
  const child = spawn(file, args, { env, stdio: 'ignore' });
  const ended = new Promise<'killed' | 'ended'>((resolve) => {
    child.once('exit', (_code, signal) => resolve(signal === 'SIGKILL' ? 'killed' : 'ended'));
  });
  // The moment of the kill is the input of this test, not a wait for something.
  void after(ms).then(() => child.kill('SIGKILL'));
  return ended;
}

async function approveOne(round: number): Promise<string> {
  await world.send(
    `From: Alice <alice@pinewood.example>\r\nTo: assistant@example.com\r\nSubject: Round ${round}?\r\n` +
      `Message-ID: <round-${round}@pinewood.example>\r\n\r\nCould you tell me whether Tuesday suits you?\r\n`,
  );
  return world.withAgent(async (agent) => {
    await syncVault(agent);
    const task = [...agent.session.state.tasks.values()].find(({ state }) => state === 'pending_approval');
    if (!task) throw new Error(`round ${round}: nothing waits`);
    await approveTask(agent, task.taskId, { method: 'command' });
    return task.taskId;
  });
}

async function durationOfExecute(): Promise<number> {
  await approveOne(0);
  const started = performance.now();
  expect(await executeKilledAfter(60_000)).toBe('ended');
  return performance.now() - started;
}

/**
 * Approves a mail a round, kills `employee execute` at a moment of its run and starts it again: sent at most
 * once, and an unknown outcome is named as such.
 *
 * @param moments when to kill, as parts of a whole run (0 to 1).
 */
export function describeKills(title: string, moments: readonly number[]): void {
  describe('employee execute', () => {
    beforeAll(async () => {
      world = await createFlowWorld();
    }, 60_000);
    afterAll(() => world.close());

    it(title, { timeout: 60_000 + moments.length * 15_000 }, () => killRounds(moments));
  });
}

async function killRounds(moments: readonly number[]): Promise<void> {
  let wholeMs = await durationOfExecute();
  const seen = { killed: 0, ended: 0 };
  const ends = new Map<string, number>();
  for (const [index, moment] of moments.entries()) {
    const round = index + 1;
    const taskId = await approveOne(round);
    const before = (await world.sent()).length;
    const startedMs = performance.now();
    const end = await executeKilledAfter(wholeMs * moment);
    seen[end] += 1;
    // Whoever was done before it was to be killed tells that a run takes less time than the first one did.
    if (end === 'ended') wholeMs = Math.min(wholeMs, performance.now() - startedMs);
    const again = await world.employee('execute', '--json');
    expect([0, 1, 3], again.stderr).toContain(again.code);

    const sent = (await world.sent()).length - before;
    expect(sent, `round ${round}`).toBeLessThanOrEqual(1);
    const { state, reason, place } = await world.withAgent(async (agent) => {
      await syncVault(agent);
      const task = agent.session.state.tasks.get(taskId);
      return { state: task?.state, reason: task?.reason, place: (task && notePath(task)) ?? '' };
    });
    expect(existsSync(path.join(world.vault, place)), place).toBe(true);
    ends.set(state ?? 'none', (ends.get(state ?? 'none') ?? 0) + 1);
    if (state === 'done') expect(sent).toBe(1);
    else if (state === 'failed') expect(sent).toBe(0);
    else {
      expect(state).toBe('indeterminate');
      expect(reason).toContain('between the call and its answer');
      expect(again.code).toBe(3);
      expect(again.stdout).toContain('unknown');
    }
    // An unknown or failed outcome would go on asking for the person; it is answered before the next round.
    if (state !== 'done')
      expect(await world.employee('reject', taskId, '--reason', 'looked into it')).toMatchObject({
        code: 0,
      });
  }
  console.info(`${seen.killed} of ${moments.length} runs were killed; ended as`, Object.fromEntries(ends));
  expect(seen.killed).toBeGreaterThanOrEqual(Math.max(1, moments.length / 3));
  expect(await world.employee('verify')).toMatchObject({ code: 0 });
}
