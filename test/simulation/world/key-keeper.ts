import { keysStatus } from '#local-agent/keys-status.ts';
import { handOverOf, takeHandedOver } from '#local-agent/hand-over-keys.ts';
import { rotateKeys } from '#local-agent/rotate-keys.ts';
import { drawsOf, waitMs } from '../kernel/draws.ts';
import type { Draw } from '../kernel/draws.ts';
import type { PlannedRotation } from '../plan.ts';
import { signingKeyOf, VAULT_ID } from './keys.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

const MEAN_AGAIN_MS = 2 * 60_000;
const MAX_AGAIN_MS = 2 * 3_600_000;

/** A rotation that came to its end, as the person knows it. */
export interface KeptRotation {
  readonly id: string;
  /** It was, or became, one after a compromise. */
  readonly compromised: boolean;
  /** It had been begun as an ordinary one. */
  readonly grew: boolean;
}

/**
 * The person who renews the keys, as `docs/keys.md` says: one rotation after the other; whenever the command fails or dies
 * looks at `employee keys` and runs it again until it is complete; after a compromise carries the keys to every other
 * machine.
 */
export class KeyKeeper {
  readonly #world: World;
  readonly #draw: Draw;
  readonly #laptop: Machine | undefined;
  #last: Promise<void> = Promise.resolve();
  #known = { keyEpoch: 1, approver: signingKeyOf('owner').publicKey };

  constructor(world: World) {
    this.#world = world;
    this.#draw = drawsOf(world.plan.seed, 'key-keeper');
    this.#laptop = world.machines.get('laptop');
  }

  rotate(rotation: PlannedRotation): void {
    this.#world.rotations.begun += 1;
    this.#last = this.#last.then(() => this.#carryOut(rotation));
  }

  async #carryOut(rotation: PlannedRotation): Promise<void> {
    const { id } = rotation;
    let { compromised } = rotation;
    let text: string | undefined;
    // The keys can be carried over as soon as they are in force, though the rotation has yet to be completed.
    const carry = async (): Promise<void> => {
      if (!compromised || text !== undefined) return;
      text = await this.#export(rotation);
      if (text !== undefined) void this.#handOver(rotation, text);
    };
    for (let tries = 1; !(await this.#run(rotation, compromised)); tries++) {
      await carry();
      await this.#pause(tries);
      if (rotation.grows && text === undefined) compromised = true;
      if (await this.#look(rotation, compromised)) break;
    }
    for (let tries = 1; compromised && text === undefined; tries++) {
      await carry();
      await this.#pause(tries);
    }
    const keys = this.#laptop?.keys.read();
    if (keys) {
      const keyEpoch = Math.max(...keys.keyring.map((each) => each.keyEpoch));
      this.#known = { keyEpoch, approver: keys.approval.publicKey };
    }
    this.#world.rotations.complete.push({ id, compromised, grew: compromised && !rotation.compromised });
  }

  /** `employee keys rotate --yes`. @returns whether it said that it was done. */
  #run(rotation: PlannedRotation, compromised: boolean): Promise<boolean> {
    return this.#told(rotation, 'laptop', (machine) =>
      machine.command('keys', async (agent, process) => {
        const { kernel, cloud } = this.#world;
        const secret = kernel.port(process, 'secret', cloud.secret);
        await rotateKeys(
          { agent, secret, say: agent.log },
          compromised ? { compromised: { without: [] } } : {},
        );
      }),
    );
  }

  /** `employee keys`. @returns whether it says that nothing is left to do. */
  async #look(rotation: PlannedRotation, compromised: boolean, tries = 1): Promise<boolean> {
    let isComplete = false;
    const hasSeen = await this.#told(rotation, 'laptop', (machine) =>
      machine.command('keys-status', async (agent) => {
        await agent.session.pull();
        const status = keysStatus(agent);
        if (!status || status.unfinished !== undefined) return;
        const approver = agent.session.state.keys?.approvers[0]?.publicKey;
        isComplete = compromised ? approver !== this.#known.approver : status.keyEpoch > this.#known.keyEpoch;
      }),
    );
    if (hasSeen) return isComplete;
    await this.#pause(tries);
    return this.#look(rotation, compromised, tries + 1);
  }

  /** `employee keys export`. @returns the file, once it has the new keys. */
  async #export(rotation: PlannedRotation): Promise<string | undefined> {
    let text: string | undefined;
    await this.#told(rotation, 'laptop', (machine) =>
      machine.keyCommand('keys-export', (store) => {
        const file = handOverOf(store, VAULT_ID).text;
        if (!file.includes(this.#known.approver)) text = file;
      }),
    );
    return text;
  }

  /** `employee keys import` at every other machine, and again until it is done. */
  async #handOver(rotation: PlannedRotation, text: string): Promise<void> {
    await this.#wait(rotation.handOverMs);
    for (const name of this.#world.machines.keys()) {
      if (name === 'laptop') continue;
      const imported = (machine: Machine): Promise<unknown> =>
        machine.keyCommand('keys-import', (store) => takeHandedOver(store, VAULT_ID, text, 'FILE'));
      for (let tries = 1; !(await this.#told(rotation, name, imported)); tries++) await this.#pause(tries);
      this.#world.rotations.handedOver += 1;
    }
  }

  /** @returns whether a command came to its end; what it says otherwise goes into the trace. */
  async #told(
    rotation: PlannedRotation,
    name: string,
    work: (machine: Machine) => Promise<unknown>,
  ): Promise<boolean> {
    const machine = this.#world.machines.get(name);
    try {
      if (machine) await work(machine);
      return true;
    } catch (error) {
      this.#world.told(rotation, error);
      return false;
    }
  }

  /** Longer and longer, but never as long as it is waited for rest. */
  #pause(tries: number): Promise<void> {
    return this.#wait(Math.min(waitMs(this.#draw, MEAN_AGAIN_MS * 2 ** Math.min(tries, 5)), MAX_AGAIN_MS));
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.kernel.scheduler.in(ms, resolve));
  }
}
