import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { claimMachine, itemText } from './claim-machine.ts';
import type { MachineRequest, MachineSeen } from './claim-machine.ts';
import type { Model, Step } from './explore.ts';
import { wrongChange, wrongEnd, wrongQuiet, wrongWith } from './machine-checks.ts';
import type { MachineScene } from './machine-scenes.ts';
import { arrange } from './machine-setting.ts';
import { entryText, takesEffect } from './shared-stores.ts';
import type { Shared } from './shared-stores.ts';
import { SteppedCode } from './stepped-code.ts';
import type { Happening, Moment } from './stepped-code.ts';

type MachineMoment = Moment<MachineRequest, MachineSeen>;

/** What all machines share, and where each of them stands. */
export interface MachineWorld extends Shared {
  readonly machines: readonly MachineMoment[];
  readonly late: readonly MachineRequest[];
  readonly losses: number;
  readonly deaths: number;
}

/** A model that counts its work. */
export interface MachineModel extends Model<MachineWorld> {
  /** How often a machine was run from its start. */
  runs(): number;
}

/**
 * Machines of the owner that claim, release, hand over, take over and execute one task by the product's own use cases,
 * with every request to the ledger, the task store and the tool a step of its own. Each may be answered, get lost,
 * lose its reply, arrive late, or be the last that its machine did.
 *
 * Abstract are: sealing and signatures (`plain-crypto.ts`); the clocks, which stand still (whoever takes over has seen
 * the claim, and may go on at once: that it waited is the claim model's); the vault's disk, which works at once.
 */
export async function machineModel(scene: MachineScene): Promise<MachineModel> {
  const names = Object.keys(scene.machines);
  const { options, rescue, initial, reader } = await arrange(scene, names);
  const codes = options.map(
    (machine) => new SteppedCode<MachineRequest, MachineSeen>((ask) => claimMachine(ask, machine)),
  );
  const rescuer = new SteppedCode<MachineRequest, MachineSeen>((ask) => claimMachine(ask, rescue));
  const states = new Map<string, VaultState>();
  const recovered = new Map<string, string | undefined>();

  /** What any reader makes of the ledger. */
  function stateOf(rows: readonly LedgerEntry[]): VaultState {
    const key = rows.map(({ sig }) => sig).join();
    const known = states.get(key) ?? reader(rows);
    states.set(key, known);
    return known;
  }

  async function hears(world: MachineWorld, index: number, happening: Happening): Promise<MachineWorld> {
    const code = codes[index];
    const moment = world.machines[index];
    if (!code || !moment) throw new Error(`there is no machine ${index}`);
    const after = await code.after(moment, happening);
    return { ...world, machines: world.machines.map((machine, at) => (at === index ? after : machine)) };
  }

  async function* stepsOf(world: MachineWorld, index: number): AsyncGenerator<Step<MachineWorld>> {
    const request = world.machines[index]?.request;
    if (!request) return;
    const name = `${names[index]}: ${wordsOf(request)}`;
    const { world: done, value, text } = await takesEffect(world, request);
    const reply: Happening = { kind: 'reply', text, value };
    const step = (label: string, to: MachineWorld): Step<MachineWorld> => ({
      ...{ label: `${name}${label}`, to, wrong: wrongChange(world, to) },
    });
    yield step(` → ${text}`, await hears(done, index, reply));
    const isRead = request.op === 'read' || (request.op === 'tasks' && request.method === 'get');
    const away = isRead ? world : { ...world, late: [...world.late, request] };
    // A tool never throws: what it cannot tell is unknown.
    const failed: Happening =
      request.op === 'call tool'
        ? { kind: 'reply', text: 'unknown', value: { status: 'indeterminate', detail: 'no answer' } }
        : { kind: 'failed' };
    if (world.losses > 0) {
      const losses = world.losses - 1;
      yield step(', no reply yet', { ...(await hears(away, index, failed)), losses });
      if (done !== world)
        yield step(` → ${text}, the reply is lost`, { ...(await hears(done, index, failed)), losses });
    }
    if (world.deaths > 0) {
      const deaths = world.deaths - 1;
      yield step(' and dies at once', { ...(await hears(away, index, { kind: 'crash' })), deaths });
      if (done !== world)
        yield step(` → ${text}, and dies`, { ...(await hears(done, index, { kind: 'crash' })), deaths });
    }
  }

  /**
   * Whether all ends well if every machine starts once more and another one, without any failure, takes what is held.
   * No late request arrives: that it may is another state.
   */
  async function wrongAfterAll(quiet: MachineWorld): Promise<string | undefined> {
    const { rows, item, sent } = quiet;
    const disks = quiet.machines.map(({ seen: { disk, head } }) => `${head.n} ${disk}`);
    const key = [rows.map(({ sig }) => sig), itemText(item), sent, ...disks].join('|');
    if (recovered.has(key)) return recovered.get(key);
    let world = quiet;
    for (const [index, code] of codes.entries()) {
      const moment = quiet.machines[index];
      if (moment) world = await undisturbed(world, code, await code.after(moment, { kind: 'crash' }));
    }
    world = await undisturbed(world, rescuer, await rescuer.start());
    const state = stateOf(world.rows);
    const wrong = wrongWith({ ...world, machines: [] }, state) ?? wrongEnd(scene, world, state);
    recovered.set(key, wrong);
    return wrong;
  }

  async function undisturbed(
    before: MachineWorld,
    code: SteppedCode<MachineRequest, MachineSeen>,
    start: MachineMoment,
  ): Promise<MachineWorld> {
    let world = before;
    for (let moment = start; moment.request;) {
      const { world: done, value, text } = await takesEffect(world, moment.request);
      world = done;
      moment = await code.after(moment, { kind: 'reply', text, value });
    }
    return world;
  }

  return {
    initial: {
      ...{ ...initial, late: [], losses: scene.losses, deaths: scene.deaths },
      machines: await Promise.all(codes.map((code) => code.start())),
    },
    runs: () => codes.reduce((sum, { runs }) => sum + runs, 0),
    async steps(world) {
      const steps: Step<MachineWorld>[] = [];
      for (const index of names.keys()) for await (const step of stepsOf(world, index)) steps.push(step);
      for (const [at, request] of world.late.entries()) {
        const late = world.late.filter((_, other) => other !== at);
        const { world: to } = await takesEffect({ ...world, late }, request);
        steps.push({ label: `${wordsOf(request)} arrives late`, to, wrong: wrongChange(world, to) });
      }
      return steps;
    },
    key: ({ rows, item, sent, machines, late, losses, deaths }) =>
      [
        ...[losses, deaths, sent, itemText(item), rows.map(({ sig }) => sig).join()],
        ...[late.map(wordsOf).sort().join(';'), ...machines.map(({ history }) => history)],
      ].join('|'),
    check: async (world) => {
      const state = stateOf(world.rows);
      const wrong = wrongWith(world, state);
      if (wrong !== undefined || world.machines.some(({ request }) => request)) return wrong;
      const isDisturbed = world.losses < scene.losses || world.deaths < scene.deaths;
      return (isDisturbed ? undefined : wrongQuiet(world, state)) ?? (await wrongAfterAll(world));
    },
    isGoal: ({ machines }) => machines.every(({ request }) => request === undefined),
  };
}

function wordsOf(request: MachineRequest): string {
  if (request.op === 'append') return `put ${entryText(request.entry)}`;
  if (request.op === 'read') return `read after ${request.after}`;
  if (request.op === 'call tool') return 'send the mail';
  const [about] = request.args as { epoch?: number; attemptId?: string; owner?: string; state?: string }[];
  if (typeof about !== 'object') return `${request.method} the item`;
  const { owner = '', attemptId = '', epoch, state = '' } = about;
  return [request.method, owner, attemptId, epoch === undefined ? '' : `e${epoch}`, state]
    .filter((word) => word !== '')
    .join(' ');
}
