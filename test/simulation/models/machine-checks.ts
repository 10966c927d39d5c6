import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { RESCUER } from './machine-scenes.ts';
import type { MachineScene } from './machine-scenes.ts';
import type { MachineSeen } from './claim-machine.ts';
import type { Shared } from './shared-stores.ts';

interface MachineWorld extends Shared {
  readonly machines: readonly { readonly seen: MachineSeen }[];
}

/** What no step may do. */
export function wrongChange({ item, rows }: Shared, to: Shared): string | undefined {
  if (rows.some((row, index) => to.rows[index] !== row)) return 'an entry was rewritten';
  if (!item || !to.item || item === to.item) return undefined;
  if (to.item.epoch < item.epoch) return `the epoch of the item fell from ${item.epoch} to ${to.item.epoch}`;
  if (to.item.version !== item.version + 1) return 'a change of the item was lost';
  const isOther = to.item.owner !== undefined && to.item.owner !== item.owner;
  return isOther && to.item.epoch === item.epoch
    ? `${to.item.owner} has the item with an old epoch`
    : undefined;
}

/** What may never be. */
export function wrongWith({ rows, sent, machines }: MachineWorld, state: VaultState): string | undefined {
  if (sent > 1) return 'the mail went out twice';
  const [incident] = state.refusals.filter(({ severity }) => severity === 'incident');
  if (incident)
    return `an honest machine wrote what readers refuse: entry ${incident.n}, ${incident.message}`;
  for (const { seen } of machines) {
    if (seen.broken !== undefined) return `a machine refuses the ledger: ${seen.broken}`;
    if (seen.head.n > rows.length) return 'a machine knows more than stands in the ledger';
  }
  return undefined;
}

/** Where nothing went wrong on the way, nothing has to be settled. */
export function wrongQuiet({ machines, item }: MachineWorld, state: VaultState): string | undefined {
  if (machines.some(({ seen }) => seen.plans > 0)) return 'all is quiet, and a plan is left over';
  const { owner } = taskIn(state);
  if (item?.owner === owner) return undefined;
  return `all is quiet; ${owner ?? 'nobody'} holds the task in the ledger, and ${item?.owner ?? 'nobody'} in the store`;
}

/** Where the task has to be in the end. */
export function wrongEnd(
  scene: MachineScene,
  { item, sent }: MachineWorld,
  state: VaultState,
): string | undefined {
  const task = taskIn(state);
  const { owner = 'nobody' } = item ?? {};
  if ((task.owner ?? 'nobody') !== owner || (item && item.epoch < task.epoch)) {
    return `in the end ${task.owner ?? 'nobody'} holds the task in the ledger, and ${owner} in the store`;
  }
  if (scene.task === 'waiting') {
    return owner === RESCUER
      ? undefined
      : `in the end the task is ${task.state} by ${owner}, and nobody can take it`;
  }
  const ends: readonly string[] = sent > 0 ? ['done', 'indeterminate'] : ['failed', 'indeterminate'];
  return ends.includes(task.state)
    ? undefined
    : `in the end the task is ${task.state}, and ${sent} mails went out`;
}

function taskIn(state: VaultState): TaskView {
  const [task] = state.tasks.values();
  if (!task) throw new Error('the task is gone');
  return task;
}
