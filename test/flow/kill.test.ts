import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { approveTask } from '#local-agent/approve.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { notePath } from '#protocol/vault-state.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

const ROUNDS = 12;

let world: FlowWorld;

beforeAll(async () => {
  world = await createFlowWorld();
}, 60_000);
afterAll(() => world.close());

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

it(
  'killed at any moment of execute and started again, a mail is sent at most once',
  { timeout: 240_000 },
  async () => {
    const wholeMs = await durationOfExecute();
    const seen = { killed: 0, ended: 0 };
    for (let round = 1; round <= ROUNDS; round++) {
      const taskId = await approveOne(round);
      const before = (await world.sent()).length;
      // Evenly over the run, from the first moments of the process to its last.
      seen[await executeKilledAfter((wholeMs * (round - 0.5)) / ROUNDS)] += 1;
      const again = await world.employee('execute', '--json');
      expect([0, 3], again.stderr).toContain(again.code);

      const sent = (await world.sent()).length - before;
      expect(sent, `round ${round}`).toBeLessThanOrEqual(1);
      const { state, reason, place } = await world.withAgent(async (agent) => {
        await syncVault(agent);
        const task = agent.session.state.tasks.get(taskId);
        return { state: task?.state, reason: task?.reason, place: (task && notePath(task)) ?? '' };
      });
      expect(existsSync(path.join(world.vault, place)), place).toBe(true);
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
    expect(seen.killed).toBeGreaterThan(ROUNDS / 2);
    expect(await world.employee('verify')).toMatchObject({ code: 0 });
  },
);
