import { archivedObject } from '#protocol/archive.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { makeEntry } from '#protocol/ledger-entry.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import { Host } from '../kernel/process.ts';
import { KEY_ATTACKS } from '../plan.ts';
import type { Attack, AttackKind } from '../plan.ts';
import { FORGERIES } from './forgeries.ts';
import type { GivenApproval } from './forgeries.ts';
import type { Forgery } from './forgery.ts';
import { keyForgery } from './key-attacks.ts';
import { signingKeyOf, VAULT_ID } from './keys.ts';
import type { World } from './world.ts';

/** Lets whoever holds the cloud's keys, and the rights of its role, try something now. */
export function attack(world: World, attempt: Attack): void {
  const { kernel } = world;
  const { what, n } = attempt;
  kernel.start(`attacker-${attempt.id}`, new Host('attacker'), async () => {
    const writer = cloudWriter(world);
    const { state, approvals } = await readLedger(world, writer, attempt.id);
    const tasks = [...state.tasks.values()];
    const one = (wanted: (task: TaskView) => boolean): TaskView | undefined => {
      const fit = tasks.filter(wanted);
      return fit[n % Math.max(1, fit.length)];
    };
    if (what === 'altered item' || what === 'foreign holder')
      return alterItem(
        world,
        one(() => true),
        what,
        n,
      );
    if (what === 'overwritten blob') return overwriteBlob(world, n);
    if (what === 'broken entry') return breakLedger(world, writer, state, n);
    if (isAboutKeys(what)) {
      const old = keyForgery(world, writer, state, { ...attempt, what });
      return old && append(world, state, old.forgery, old.writer, attempt.id);
    }
    const forgery = FORGERIES[what](one, attempt, writer, approvals);
    if (forgery) await append(world, state, forgery, writer, attempt.id);
  });
}

function isAboutKeys(what: AttackKind): what is (typeof KEY_ATTACKS)[number] {
  return KEY_ATTACKS.some((kind) => kind === what);
}

/** The cloud zone's role can read its secret at any time. */
function cloudWriter({ cloud }: World): Writer {
  const text: unknown = JSON.parse(cloud.secret.values.at(-1) ?? '');
  const { vaultId, writer, signing, keyring } = CloudSecret.parse(text);
  return { vaultId, writer, signingKey: signing, keyring };
}

/** What its keys open: where everything stands, and every approval that was ever given. */
async function readLedger(
  world: World,
  writer: Writer,
  id: string,
): Promise<{ readonly state: VaultState; readonly approvals: readonly GivenApproval[] }> {
  const approvals: GivenApproval[] = [];
  const ports = {
    ledger: world.cloud.ledger,
    clock: new Host('attacker').clock(world.kernel.scheduler),
    ids: createCountingIds(`attacker-${id}`),
  };
  const session = new LedgerSession(writer, signingKeyOf('laptop').publicKey, ports, ({ body }) => {
    if (body?.kind === 'approval') approvals.push(body);
  });
  await session.pull();
  return { state: session.state, approvals };
}

async function append(
  world: World,
  { head }: VaultState,
  forgery: Forgery,
  writer: Writer,
  id: string,
): Promise<void> {
  const { isNamed, ...draft } = forgery;
  const at = new Host('attacker').clock(world.kernel.scheduler).now();
  const entry = makeEntry(head, draft, writer, { at, attempt: `attack-${id}` });
  // The same conditional put as everybody's; its role has no other.
  if ((await world.cloud.ledger.append(entry)) === 'appended' && isNamed) world.forged.push(entry.n);
}

/** A signature that is none: nobody reads any further, and everybody says where. */
function breakLedger({ cloud, kernel }: World, writer: Writer, { head }: VaultState, n: number): void {
  const at = new Host('attacker').clock(kernel.scheduler).now();
  const entry = makeEntry(
    head,
    { body: { kind: 'files', changes: [{ op: 'delete', path: 'a.md', base: sha256Hex('') }] } },
    writer,
    { at, attempt: 'broken' },
  );
  const broken: unknown =
    n % 2 === 0
      ? { ...entry, sig: Buffer.alloc(64).toString('base64') }
      : { vaultId: VAULT_ID, n: entry.n, nonsense: n };
  const place = { vaultId: VAULT_ID, n: entry.n };
  cloud.ledger.rows.push({ ...place, entry: broken });
  void cloud.archive.put(
    archivedObject({ ...place, change: 'insert', image: broken, sequence: String(entry.n) }),
  );
}

/** `UpdateItem` with any values that the table takes. */
function alterItem({ cloud }: World, task: TaskView | undefined, what: AttackKind, n: number): void {
  const item = task && cloud.tasks.items.get(task.taskId);
  if (!item) return;
  const states = ['approved', 'executing', 'drafting', 'pending_approval', 'done', 'needs_action'] as const;
  const state = states[n % states.length] ?? 'done';
  const owner = what === 'foreign holder' ? 'nobody-known' : n % 3 === 0 ? 'cloud' : undefined;
  const { owner: _owner, ...rest } = item;
  cloud.tasks.items.set(item.taskId, {
    ...rest,
    state,
    home: n % 2 === 0 ? 'cloud' : 'local',
    epoch: Math.max(0, item.epoch + (n % 7) - 3),
    version: item.version + 1,
    leaseMs: 60_000,
    ...(owner === undefined ? {} : { owner, attemptId: `attack-${n}` }),
  });
}

function overwriteBlob({ cloud }: World, n: number): void {
  const ids = [...cloud.blobs.blobs.keys()];
  const id = ids[n % Math.max(1, ids.length)];
  if (id !== undefined) cloud.blobs.blobs.set(id, Buffer.from(`nothing of use ${n}`));
}
