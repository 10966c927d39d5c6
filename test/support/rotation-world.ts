import { createCheckpointStart } from '#adapters/checkpoint-start.ts';
import { createZoneSource } from '#lambdas/runtime/zone-session.ts';
import type { ZoneSource } from '#lambdas/runtime/zone-session.ts';
import type { Agent, AgentPorts } from '#local-agent/agent.ts';
import type { KeyStore } from '#local-agent/key-store.ts';
import { rotateKeys } from '#local-agent/rotate-keys.ts';
import type { OwnedSecret, RotationReport, RotationRequest } from '#local-agent/rotate-keys.ts';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { storeContent } from '#protocol/content-store.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { CrashError } from './crash-ports.ts';
import type { CrashPlan } from './crash-ports.ts';
import { createLocalWorld } from './local-world.ts';
import type { LocalWorld } from './local-world.ts';

/** The owner's machines `laptop`, `desktop` and the cloud's functions, all of whose keys can be rotated. */
export interface RotationWorld {
  readonly world: LocalWorld;
  /** The value of the cloud zone's secret. */
  readonly secret: OwnedSecret;
  readSecret(): CloudSecret;
  /** A function that was not started yet; it stays warm from its first use on. */
  zone(): ZoneSource;
  /** Lets a function write a note of its own; its text is stored outside of the ledger. */
  note(zone: ZoneSource, name: string): Promise<void>;
  rotate(request?: RotationRequest, agent?: Agent): Promise<RotationReport[]>;
  dispose(): void;
}

/** Makes the world; nothing was rotated yet. */
export async function createRotationWorld(
  names: [string, ...string[]] = ['laptop', 'desktop'],
): Promise<RotationWorld> {
  const world = await createLocalWorld(names);
  const { root } = world.agent.config;
  let text = JSON.stringify({
    vaultId: 'v-test',
    writer: 'cloud',
    signing: world.cloudKey,
    keyring: world.agent.keys.keyring.map(({ keyEpoch, shared }) => ({ keyEpoch, shared })),
    root,
  });
  const secret: OwnedSecret = {
    read: async () => text,
    write: async (value) => {
      text = value;
    },
  };
  return {
    world,
    secret,
    readSecret: () => CloudSecret.parse(JSON.parse(text)),
    zone: () => {
      const { ledger, clock, blobs, agent } = world;
      const begin = createCheckpointStart(blobs, 'shared');
      return createZoneSource(secret, { ledger, clock, ids: agent.ids, begin });
    },
    note: (zone, name) =>
      zone.use(async ({ session, keyring }) => {
        await session.pull();
        const bytes = Buffer.from(`A note of the cloud, ${name}.\n${'A long line.\n'.repeat(900)}`);
        const content = await storeContent(bytes, 'shared', keyring, 'v-test', world.blobs);
        const taskId = taskIdOfMail(name);
        const note = { name: `${name}.md`, content };
        await world.tasks.begin(taskId);
        await session.append(({ tasks }) =>
          tasks.has(taskId)
            ? undefined
            : {
                body: {
                  kind: 'task',
                  changes: [
                    { taskId, epoch: 0, event: 'created', state: 'needs_action', home: 'local', note },
                  ],
                },
              },
        );
        await world.tasks.settle(taskId, 'noted', 'local');
      }),
    rotate: (request = {}, agent = world.agent) =>
      rotateKeys({ agent: withStore(agent), secret, say: () => undefined }, request),
    dispose: () => world.dispose(),
  };
}

function withStore(agent: Agent): Agent & { keyStore: KeyStore } {
  const { keyStore } = agent;
  if (!keyStore) throw new Error('this machine keeps no keys');
  return { ...agent, keyStore };
}

/**
 * Rotates on a machine that dies at one of its calls: of a service, of the secret, or of the keys' file.
 *
 * @returns how many calls were made.
 */
export async function rotateAndDie(
  { world, secret }: RotationWorld,
  request: RotationRequest,
  plan: CrashPlan,
  between: (call: string) => Promise<void> = async () => undefined,
): Promise<number> {
  let calls = 0;
  const dies = (when: CrashPlan['when']): boolean =>
    plan.at > 0 && (calls > plan.at || (calls === plan.at && plan.when === when));
  const wrap = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get(target, member, receiver) {
        const value: unknown = Reflect.get(target, member, receiver);
        if (typeof value !== 'function') return value;
        const call = `${name}.${String(member)}`;
        const before = (): void => {
          calls += 1;
          if (dies('before')) throw new CrashError(`died before ${call}`);
        };
        const after = <R>(result: R): R => {
          if (dies('after')) throw new CrashError(`died after ${call}`);
          return result;
        };
        if (name === 'keys') {
          return (...args: unknown[]): unknown => {
            before();
            return after(Reflect.apply(value, target, args));
          };
        }
        return async (...args: unknown[]): Promise<unknown> => {
          before();
          const result: unknown = await Reflect.apply(value, target, args);
          await between(call);
          return after(result);
        };
      },
    });
  const { keyStore } = withStore(world.agent);
  const died: Partial<AgentPorts> = {
    keyStore: wrap('keys', keyStore),
    ledger: wrap('ledger', world.ledger),
    blobs: wrap('blobs', world.blobs),
    tasks: wrap('tasks', world.tasks),
  };
  try {
    const agent = world.restart(died);
    await rotateKeys(
      { agent: withStore(agent), secret: wrap('secret', secret), say: () => undefined },
      request,
    );
  } catch (error) {
    if (!(error instanceof CrashError)) throw error;
  }
  return calls;
}
