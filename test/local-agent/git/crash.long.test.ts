import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { createGitHistory } from '#local-agent/git/git-history.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { vaultTree } from '#protocol/vault-state.ts';
import { CrashError, crashingPorts } from '#test/support/crash-ports.ts';
import { committedPaths, gitEnv, homeOf, ownersGit, withHistory, write } from '#test/support/git-world.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld | undefined;

afterEach(() => {
  world?.dispose();
  world = undefined;
});

/** Mail comes in and is answered, while the owner edits, moves and deletes files. */
async function morning(agent: Agent): Promise<void> {
  await syncVault(agent);
  for (const task of [...agent.session.state.tasks.values()]) {
    if (task.state === 'pending_approval') await approveTask(agent, task.taskId, { method: 'command' });
  }
  await executeApproved(agent);
  await syncVault(agent);
}

async function worldOfAMorning(): Promise<LocalWorld> {
  const made = await createLocalWorld();
  for (const name of ['A', 'B', 'C']) write(made, `Notes/${name}.md`, `${name} has a text of its own.\n`);
  await syncVault(withHistory(made));
  await made.draft();
  rmSync(path.join(made.vault, 'Notes/A.md'));
  renameSync(path.join(made.vault, 'Notes/B.md'), path.join(made.vault, 'Notes/B moved.md'));
  write(made, 'Notes/C.md', 'C is another now.\n');
  return made;
}

function dyingAgent(
  of: LocalWorld,
  at: number,
  when: 'before' | 'after',
): { agent: Agent; calls: () => number } {
  const { ports, calls } = crashingPorts(of.agent, { at, when });
  const agent = of.restart(ports);
  return { agent: { ...agent, history: createGitHistory(agent, { env: gitEnv(homeOf(of)) }) }, calls };
}

it(
  'dying at any call of any port, the history is whole after the next run',
  { timeout: 900_000 },
  async () => {
    world = await worldOfAMorning();
    const quiet = dyingAgent(world, 0, 'before');
    await morning(quiet.agent);
    const total = quiet.calls();
    world.dispose();
    expect(total).toBeGreaterThan(20);
    for (let at = 1; at <= total; at++) {
      const when = at % 2 === 0 ? 'before' : 'after';
      world = await worldOfAMorning();
      // The history takes what stands in its way as a reason to wait, also this.
      await morning(dyingAgent(world, at, when).agent).catch((error: unknown) =>
        expect(error).toBeInstanceOf(CrashError),
      );
      await morning(withHistory(world));
      const last = withHistory(world);
      await syncVault(last);

      const where = `died ${when} call ${at} of ${total}`;
      expect(await last.history.status(), where).toMatchObject({
        state: 'ready',
        committedTo: last.copy.last(),
      });
      const noPage = (one: string): boolean => !one.startsWith('Briefings/');
      const synced = [...vaultTree(last.session.state).keys()].filter(noPage).sort();
      expect(committedPaths(world).filter(noPage), where).toEqual(synced);
      expect(ownersGit(world, ['status', '--porcelain', '--untracked-files=no']), where).toBe('');
      expect(ownersGit(world, ['fsck', '--no-dangling']), where).toBe('');
      world.dispose();
      world = undefined;
    }
  },
);
