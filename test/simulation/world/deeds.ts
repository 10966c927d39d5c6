import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { claimAnywhere } from '#local-agent/claims/claim-anywhere.ts';
import { releaseTask, transferTask } from '#local-agent/claims/release-task.ts';
import { settleClaims } from '#local-agent/claims/settle-claims.ts';
import { takeOverByHand } from '#local-agent/claims/take-over-by-hand.ts';
import type { WithAgent } from '#local-agent/claims/take-over-by-hand.ts';
import { rejectTask } from '#local-agent/reject.ts';
import { resolveConflict } from '#local-agent/resolve-conflict.ts';
import { writeCheckpoint } from '#local-agent/write-checkpoint.ts';
import type { TaskState } from '#protocol/task.ts';
import { TASK_FOLDERS } from '#test/support/task-folders.ts';
import type { Deed } from '../plan.ts';
import { Hand } from './hand.ts';
import { canaryFile } from './canaries.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

/** Lets a person do something at a machine now. What is done with the command line goes on for a while. */
export function doDeed(world: World, deed: Deed): void {
  const machine = world.machines.get(deed.machine);
  if (!machine) return;
  const hand = new Hand(machine, world);
  const { n, m, id } = deed;
  const one = <T>(list: readonly T[]): T | undefined => list[n % Math.max(1, list.length)];
  const note = one(hand.paths().filter((path) => isTaskPath(path)));
  const own = one(hand.paths('Notes/').filter((path) => !isSecretPath(path)));
  const words = `words of ${id}`;
  const command = (work: (agent: Agent) => Promise<unknown>): void => {
    // What a command says to the person is not looked at; what it does is.
    machine.command('cli', work).catch((error: unknown) => world.told(deed, error));
  };
  const onTask = (
    states: readonly TaskState[],
    work: (agent: Agent, taskId: string) => Promise<unknown>,
  ): void =>
    command(async (agent) => {
      const open = [...agent.session.state.tasks.values()].filter(({ state }) => states.includes(state));
      const task = one(open);
      if (task) await work(agent, task.taskId);
    });
  const approve = (states: readonly TaskState[], again: boolean): void =>
    onTask(states, (agent, taskId) => {
      world.wills.add(`${machine.name} approves ${taskId}`);
      return approveTask(agent, taskId, { method: 'command', again });
    });
  const edit = (path: string | undefined): void => {
    if (path === undefined) return;
    const lines = hand.text(path).split('\n');
    const draft = lines.findIndex((line) => line.startsWith('## Draft'));
    // Mostly in the words that would be sent, at times anywhere.
    const at = draft >= 0 && m % 4 > 0 ? draft + 2 : m % lines.length;
    lines[at] = at < 8 && at !== draft + 2 ? `x${m}: ${words}` : words;
    hand.save(path, lines.join('\n'));
  };
  switch (deed.what) {
    case 'approve':
      return approve(['pending_approval'], false);
    case 'approve twice':
      approve(['pending_approval'], false);
      return approve(['pending_approval'], false);
    case 'approve again':
      return approve(['failed', 'indeterminate', 'pending_approval'], true);
    case 'approve by move': {
      const waiting = one(hand.paths('Pending_Approval/'));
      if (waiting !== undefined) hand.move(waiting, `Approved/${nameOf(waiting)}`);
      return;
    }
    // What stands in Approved/ then is another file than the one that this machine put before the person.
    case 'copy into Approved': {
      const waiting = one(hand.paths('Pending_Approval/'));
      if (waiting === undefined) return;
      hand.copy(waiting, `Approved/${nameOf(waiting)}`);
      return hand.remove(waiting);
    }
    case 'edit draft':
      return edit(one(hand.paths('Pending_Approval/')));
    case 'edit approved':
      return edit(one(hand.paths('Approved/')));
    case 'reject':
      return onTask(
        ['pending_approval', 'approved', 'needs_action', 'failed', 'indeterminate'],
        (agent, taskId) => rejectTask(agent, taskId, words),
      );
    case 'reject by move':
      if (note !== undefined) hand.move(note, `Rejected/${nameOf(note)}`);
      return;
    case 'drag':
      if (note !== undefined)
        hand.move(note, `${TASK_FOLDERS[m % TASK_FOLDERS.length] ?? 'Done'}/${nameOf(note)}`);
      return;
    case 'rename':
      if (note !== undefined) hand.move(note, `${note.slice(0, note.lastIndexOf('/'))}/renamed ${id}.md`);
      return;
    case 'copy':
      if (note !== undefined)
        hand.copy(note, `${TASK_FOLDERS[m % TASK_FOLDERS.length] ?? 'Done'}/${nameOf(note)}`);
      return;
    case 'remove':
      if (note !== undefined) hand.remove(note);
      return;
    case 'ruin':
      if (note !== undefined) hand.save(note, `no note any more: ${words}`);
      return;
    case 'write note':
      return hand.save(
        `Notes/${m % 3 === 0 ? 'shared name' : id}.md`,
        canaryFile(id, m % 5 === 0 ? 9_000 : 100),
      );
    case 'edit note':
      if (own !== undefined) hand.save(own, `${hand.text(own)}\n${words}\n`);
      return;
    case 'move note':
      if (own !== undefined) hand.move(own, `${m % 2 === 0 ? 'Notes' : 'Notes/older'}/moved ${id}.md`);
      return;
    case 'remove note':
      if (own !== undefined) hand.remove(own);
      return;
    case 'write secret':
      // In no book of versions: it is in no backup, and says so.
      return machine.files.person.save(
        SECRET_PATHS[m % SECRET_PATHS.length] ?? '.env',
        canaryFile(`secret-${id}`, 100),
      );
    case 'claim':
      return onTask(['needs_action'], claimAnywhere);
    case 'take over':
      return takeOver(world, machine, deed);
    case 'release':
      return onTask(
        ['drafting'],
        settled((agent, taskId) =>
          releaseTask(agent, taskId, m % 2 === 0 ? 'needs_action' : 'pending_approval'),
        ),
      );
    case 'transfer':
      return onTask(
        ['drafting'],
        settled((agent, taskId) => transferTask(agent, taskId, one([...world.machines.keys()]) ?? '')),
      );
    case 'settle conflict':
      return command(async (agent) => {
        const conflict = one([...agent.session.state.conflicts.keys()]);
        const choice = (['ours', 'theirs', 'both'] as const)[m % 3] ?? 'both';
        if (conflict !== undefined) await resolveConflict(agent, conflict, choice);
      });
    case 'checkpoint':
      return command((agent) => writeCheckpoint(agent, 5));
  }
}

/** What somebody else works on: its holder is watched for its whole lease, then it is taken. */
function takeOver(world: World, machine: Machine, deed: Deed): void {
  const locked: WithAgent = (work) => machine.command('cli', work);
  const resident: WithAgent = (work) => machine.look('watch', work);
  const found = locked((agent) => {
    const held = [...agent.session.state.tasks.values()].filter(
      ({ state, owner }) => state === 'drafting' && owner !== machine.name,
    );
    return Promise.resolve(held[deed.n % Math.max(1, held.length)]?.taskId);
  });
  found
    .then(async (taskId) => {
      if (taskId !== undefined) await takeOverByHand(taskId, { locked, resident });
    })
    .catch((error: unknown) => world.told(deed, error));
}

/** What an earlier command had begun with a task, and died over, comes to its end first: as the command line does it. */
function settled(work: (agent: Agent, taskId: string) => Promise<void>): typeof work {
  return async (agent, taskId) => {
    await agent.session.pull();
    await settleClaims(agent);
    await work(agent, taskId);
  };
}

/** Names that stay on the machine: by a whole name, by a word in it, by a folder above. */
const SECRET_PATHS = [
  'secrets/plan.md',
  'Notes/my credentials.md',
  'Notes/token.txt',
  'Notes/key.pem',
] as const;

function isSecretPath(path: string): boolean {
  return SECRET_PATHS.some((secret) => secret === path);
}

function isTaskPath(path: string): boolean {
  return TASK_FOLDERS.some((folder) => folder !== 'Notes' && path.startsWith(`${folder}/`));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
