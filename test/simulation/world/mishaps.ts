import type { Task } from '#protocol/task.ts';
import type { Mishap } from '../plan.ts';
import { Hand } from './hand.ts';
import type { CopyImage } from './copy-disk.ts';
import type { World } from './world.ts';

/** Backups are made at intervals, and the last one is what comes back. */
const BACKUP_EVERY_MS = 2 * 3_600_000;

/** Among the names of machines, that the table of items came back. */
export const THE_ITEMS = 'the items';

/** What backups there are of the machines. */
export class Backups {
  readonly #world: World;
  readonly #copies = new Map<string, CopyImage>();
  readonly #vaults = new Map<string, ReadonlyMap<string, string>>();
  #items: ReadonlyMap<string, Task> = new Map();

  constructor(world: World) {
    this.#world = world;
  }

  /** Makes one of every machine and of the tasks' items, from now on again and again. */
  keep(untilMs: number): void {
    this.#items = structuredClone(this.#world.cloud.tasks.items);
    for (const [name, machine] of this.#world.machines) {
      this.#copies.set(name, machine.disk.image());
      this.#vaults.set(name, new Hand(machine, this.#world).image());
    }
    const { scheduler } = this.#world.kernel;
    if (scheduler.nowMs + BACKUP_EVERY_MS < untilMs) scheduler.in(BACKUP_EVERY_MS, () => this.keep(untilMs));
  }

  get items(): ReadonlyMap<string, Task> {
    return this.#items;
  }

  copyOf(name: string): CopyImage | undefined {
    return this.#copies.get(name);
  }

  vaultOf(name: string): ReadonlyMap<string, string> | undefined {
    return this.#vaults.get(name);
  }
}

/** Lets something befall a machine now. */
export function befall(world: World, backups: Backups, mishap: Mishap): void {
  const { machine: name, what } = mishap;
  const machine = world.machines.get(name);
  if (!machine) return;
  const { scheduler } = world.kernel;
  const { host } = machine;
  // When the plan is over everything works again.
  const ms = what === 'clock jump' ? mishap.ms : Math.min(mishap.ms, world.plan.lengthMs - scheduler.nowMs);
  const later = (act: () => void): void => void scheduler.in(ms, act);
  switch (what) {
    case 'sleep with its clock':
    case 'sleep':
      host.asleepUntilMs = Math.max(host.asleepUntilMs, scheduler.nowMs + ms);
      // Some systems count the time in which they slept, others do not.
      if (what === 'sleep') later(() => (host.uncountedMs += ms));
      return;
    case 'cut off':
      host.cutOffUntilMs = Math.max(host.cutOffUntilMs, scheduler.nowMs + ms);
      return;
    case 'clock jump':
      host.skewMs += Math.round(ms) * (Math.round(ms) % 2 === 0 ? 1 : -1);
      return;
    case 'power cut':
      return machine.cutPower('power cut');
    case 'disk full':
      host.diskFull = true;
      return later(() => (host.diskFull = false));
    case 'vault unmounted':
      machine.isMounted = false;
      return later(() => (machine.isMounted = true));
    case 'items restored': {
      const { items } = world.cloud.tasks;
      items.clear();
      for (const [taskId, item] of backups.items) items.set(taskId, structuredClone(item));
      return world.restored.add(THE_ITEMS) && undefined;
    }
    case 'copy restored': {
      const image = backups.copyOf(name);
      if (!image) return;
      machine.cutPower('its copy of the ledger is put back');
      machine.disk.restore(image);
      return world.restored.add(name) && undefined;
    }
    case 'vault restored': {
      const image = backups.vaultOf(name);
      if (!image) return;
      machine.cutPower('its vault is put back');
      return new Hand(machine, world).restore(image);
    }
  }
}
