import { approveTask } from '#local-agent/approve.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { waitingTask } from '#test/support/waiting-task.ts';
import type { Command, MachineOptions } from './claim-machine.ts';
import { RESCUER } from './machine-scenes.ts';
import type { MachineScene } from './machine-scenes.ts';
import type { Shared } from './shared-stores.ts';

/** A vault with one task, of the real code, and its machines. */
export async function arrange(
  scene: MachineScene,
  names: readonly string[],
): Promise<{
  options: MachineOptions[];
  rescue: MachineOptions;
  initial: Shared;
  reader: (rows: readonly LedgerEntry[]) => VaultState;
}> {
  const [first = '', ...others] = names;
  const world = await createLocalWorld([first, ...others, RESCUER], { copies: 'in memory' });
  try {
    const taskId = scene.task === 'waiting' ? await waitingTask(world) : await approvedTask(world);
    const known = world.ledger.rows.map(({ entry }) => entry as LedgerEntry);
    const task = world.agent.session.state.tasks.get(taskId);
    const path = task && notePath(task);
    const text = textOf(task);
    const note = path === undefined || text === undefined ? undefined : { path, text };
    const { config, keys } = world.agent;
    const writer = {
      vaultId: config.vaultId,
      writer: config.agent,
      signingKey: keys.signing,
      keyring: keys.keyring,
    };
    const machine = (name: string, commands: readonly Command[]): MachineOptions => ({
      ...{ base: world.machine(name).agent, taskId, commands, known, note },
    });
    return {
      options: names.map((name) => machine(name, scene.machines[name] ?? [])),
      rescue: machine(
        RESCUER,
        scene.task === 'waiting' ? ['look', 'take over to work', 'claim'] : ['look', 'take over to settle'],
      ),
      initial: { rows: known, item: world.tasks.items.get(taskId), sent: 0 },
      reader: (rows) => {
        const session = new LedgerSession(writer, config.root, world.agent);
        for (const entry of rows) session.admit(entry);
        return session.state;
      },
    };
  } finally {
    world.dispose();
  }
}

async function approvedTask(world: LocalWorld): Promise<string> {
  const taskId = await world.draft();
  const { agent } = world;
  await agent.session.pull();
  const task = agent.session.state.tasks.get(taskId);
  const text = textOf(task) ?? '';
  await agent.files.write((task && notePath(task)) ?? '', Buffer.from(text), null);
  await approveTask(agent, taskId, { method: 'command' });
  return taskId;
}

function textOf(task: TaskView | undefined): string | undefined {
  const content = task?.note?.content;
  return content && 'text' in content ? content.text : undefined;
}
