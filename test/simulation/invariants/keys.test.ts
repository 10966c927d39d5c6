import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { storeContent } from '#protocol/content-store.ts';
import { CALM } from '../kernel/fate.ts';
import type { Step } from '../kernel/kernel.ts';
import { Host, SimProcess } from '../kernel/process.ts';
import type { Plan } from '../plan.ts';
import { QUIET } from '../run-seed.ts';
import { askAtEnd, runWorld } from '../run-world.ts';
import { VAULT_ID } from '../world/keys.ts';
import { readAhead } from '../world/mails.ts';
import { createWorld } from '../world/world.ts';
import type { World } from '../world/world.ts';
import type { Auditor } from './auditor.ts';
import { auditKeys } from './keys.ts';
import { auditSecrets } from './secrets.ts';
import { Witness } from './witness.ts';
import type { WitnessedEntry, WitnessView } from './witness.ts';

const MINUTE_MS = 60_000;
/** A note that is stored outside of the ledger, an ordinary rotation, and one after a compromise. */
const PLAN: Plan = {
  ...QUIET,
  lengthMs: 120 * MINUTE_MS,
  mails: [{ id: 'mail-1', atMs: 0, kind: 'question', echoesMs: [], lateMs: 0 }],
  deeds: [{ id: 'deed-1', atMs: MINUTE_MS, machine: 'laptop', what: 'write note', n: 0, m: 5 }],
  rotations: [false, true].map((compromised, index) => ({
    ...{ id: `rotation-${index + 1}`, atMs: (20 + 20 * index) * MINUTE_MS, machine: 'laptop' },
    ...{ compromised, grows: false, handOverMs: MINUTE_MS },
  })),
};

let world: World;
let witness: Witness;

beforeAll(() => readAhead(PLAN.mails));
beforeEach(async () => {
  world = createWorld(PLAN, { fateOf: CALM });
  expect(await runWorld(world)).toEqual({});
  witness = new Witness(world);
});
afterEach(() => world.dispose());

function step(port: string, method: string, ...args: unknown[]): Step {
  const process = new SimProcess('laptop', new Host('laptop'));
  return { index: 1, n: 1, name: 'x', nth: 1, process, kind: 'service', port, method, args };
}

const atEnd = (auditor: Auditor): Promise<void> => askAtEnd(world, [auditor]);

function secretWith(change: (secret: CloudSecret) => Partial<CloudSecret>): Promise<void> {
  const secret = CloudSecret.parse(JSON.parse(world.cloud.secret.values.at(-1) ?? ''));
  return world.cloud.secret.write(JSON.stringify({ ...secret, ...change(secret) }));
}

it('is silent about what happened', async () => {
  expect(witness.state.keys?.keyEpoch).toBe(3);
  expect(world.rotations).toMatchObject({ begun: 2, complete: [{}, {}], handedOver: 1 });
  await expect(atEnd(auditKeys(world, witness))).resolves.toBeUndefined();
});

it('fires for keys in the secret that are on no disk, for some that it lost, and that it does not have in time', async () => {
  const auditor = auditKeys(world, witness);
  const own = 'A'.repeat(43);
  await secretWith(({ keyring }) => ({ keyring: keyring.map((keys) => ({ ...keys, shared: own })) }));
  expect(() => auditor.step?.(step('secret', 'write'))).toThrow(/^keys: .*not on the disk/);
  await world.cloud.secret.write(world.cloud.secret.values.at(-2) ?? '');
  await secretWith(({ keyring }) => ({ keyring: keyring.slice(0, 1) }));
  expect(() => auditor.step?.(step('secret', 'write'))).toThrow(/^keys: the secret lost/);
  expect(() => auditor.step?.(step('ledger', 'append'))).toThrow(/^keys: .*does not have it/);
});

it('fires for an entry that is written, or taken in, with keys that are not on the disk', () => {
  const auditor = auditKeys(world, witness);
  const laptop = world.machines.get('laptop');
  const keys = laptop?.keys.read();
  if (!laptop || !keys) throw new Error('there is a laptop');
  const verified = witness.entries().slice(-1);
  auditor.step?.(step('copy', 'keep', verified));
  laptop.keys.write({ ...keys, keyring: keys.keyring.slice(0, 2) });
  expect(() => auditor.step?.(step('copy', 'keep', verified))).toThrow(/^keys: laptop has entry/);
  expect(() => auditor.begin?.(step('ledger', 'append', verified[0]?.entry))).toThrow(/^keys: laptop has/);
});

it('fires in the end for a rotation that is not complete, and for one that was two', async () => {
  world.rotations.begun += 1;
  await expect(atEnd(auditKeys(world, witness))).rejects.toThrow(/^keys: of 3 rotations 2 are complete/);
  world.rotations.begun -= 1;
  world.rotations.complete.pop();
  world.rotations.begun -= 1;
  world.rotations.handedOver = 0;
  await expect(atEnd(auditKeys(world, witness))).rejects.toThrow(/^keys: 0 rotations .* made 1 key epochs/);
});

it('fires in the end for a machine with other keys, and for a secret that signs with another one', async () => {
  const desktop = world.machines.get('desktop');
  const keys = desktop?.keys.read();
  if (!desktop || !keys) throw new Error('there is a desktop');
  desktop.keys.write({ ...keys, keyring: keys.keyring.slice(0, 2) });
  await expect(atEnd(auditKeys(world, witness))).rejects.toThrow(/^keys: desktop has key epochs 2 from/);
  desktop.keys.write({ ...keys, approval: keys.signing });
  await expect(atEnd(auditKeys(world, witness))).rejects.toThrow(/^keys: desktop has another key of the app/);
  desktop.keys.write({ ...keys, rotation: { keyEpoch: 4 } });
  await expect(atEnd(auditKeys(world, witness))).rejects.toThrow(/^keys: a rotation of desktop/);
  desktop.keys.write(keys);
  await secretWith(() => ({ signing: keys.signing }));
  await expect(atEnd(auditKeys(world, witness))).rejects.toThrow(/^keys: the key that the cloud zone's/);
});

it('fires in the end where old keys open what is stored after a compromise', async () => {
  const old = world.machines.get('laptop')?.keys.vaultKeys.slice(0, 1) ?? [];
  const bytes = Buffer.from('stored under old keys\n'.repeat(1_000));
  const content = await storeContent(bytes, 'private', old, VAULT_ID, world.cloud.blobs);
  const last = witness.entries().at(-1);
  if (!last) throw new Error('there are entries');
  const entry = { ...last.entry, ring: 'private' as const };
  const body = { kind: 'files' as const, changes: [{ op: 'put' as const, path: 'Notes/x.md', content }] };
  const entries = (): readonly WitnessedEntry[] => [...witness.entries(), { ...last, entry, body }];
  const { read, state } = witness;
  const lying: WitnessView = { entries, ever: entries, turn: 0, read, state, broken: undefined };
  await expect(atEnd(auditKeys(world, lying))).rejects.toThrow(/^keys: keys of before the compromise/);
});

it('the check of secrets fires for a private key in a request, and in a log (12)', async () => {
  const auditor = auditSecrets(world);
  const laptop = world.machines.get('laptop');
  const key = laptop?.keys.vaultKeys.at(-1)?.private ?? '';
  expect(() => auditor.step?.(step('secret', 'write', JSON.stringify({ key })))).toThrow(/^12: secret.write/);
  laptop?.told.push(`new keys: ${key}`);
  await expect(atEnd(auditor)).rejects.toThrow(/^12: the log of laptop/);
});
