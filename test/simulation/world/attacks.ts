import { signApproval } from '#protocol/approval.ts';
import type { Approval } from '#protocol/approval.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { EPOCH_WINDOW } from '#protocol/claim.ts';
import { inlineContent } from '#protocol/content-store.ts';
import { makeEntry } from '#protocol/ledger-entry.ts';
import type { EntryDraft } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import { createCountingIds } from '#test/support/memory/counting-ids.ts';
import { Host } from '../kernel/process.ts';
import type { Attack, AttackKind } from '../plan.ts';
import { CLOUD_KEYRING, signingKeyOf, VAULT_ID } from './keys.ts';
import type { World } from './world.ts';

const WRITER = {
  vaultId: VAULT_ID,
  writer: 'cloud',
  signingKey: signingKeyOf('cloud'),
  keyring: CLOUD_KEYRING,
};

/** What an attack writes into the ledger, and whether `verify` has to name it as forged. */
interface Forgery extends EntryDraft {
  readonly isNamed: boolean;
}

/** Lets whoever holds the cloud's keys, and the rights of its role, try something now. */
export function attack(world: World, attempt: Attack): void {
  const { kernel } = world;
  const { what, n } = attempt;
  kernel.start(`attacker-${attempt.id}`, new Host('attacker'), async () => {
    const state = await readLedger(world, attempt.id);
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
    if (what === 'broken entry') return breakLedger(world, state, n);
    const forgery = FORGERIES[what](one, attempt, state);
    if (forgery) await append(world, state, forgery, attempt.id);
  });
}

async function readLedger(world: World, id: string): Promise<VaultState> {
  const session = new LedgerSession(WRITER, signingKeyOf('laptop').publicKey, {
    ledger: world.cloud.ledger,
    clock: new Host('attacker').clock(world.kernel.scheduler),
    ids: createCountingIds(`attacker-${id}`),
  });
  await session.pull();
  return session.state;
}

type OneOf = (wanted: (task: TaskView) => boolean) => TaskView | undefined;
type Forge = (one: OneOf, attempt: Attack, state: VaultState) => Forgery | undefined;

const FORGERIES: Readonly<
  Record<Exclude<AttackKind, 'altered item' | 'foreign holder' | 'overwritten blob' | 'broken entry'>, Forge>
> = {
  'forged approval': (one, { id }) => {
    const task = one(({ state }) => state === 'pending_approval');
    return task?.note && approvalEntry(task, forgedApproval(task, id));
  },
  'copied approval': (one) => {
    const given = one(({ approval }) => approval !== undefined)?.approval?.approval;
    const task = one(({ state }) => state === 'pending_approval');
    return given && task && approvalEntry(task, given);
  },
  'forged intent': (one) => {
    const task = one(({ state }) => state === 'approved');
    const statement = task?.approval?.approval.statement;
    if (!task || !statement) return undefined;
    const { nonce, actionsDigest } = statement;
    const epoch = task.epoch + 1;
    const body = {
      kind: 'intent',
      owner: 'cloud',
      nonce,
      actionsDigest,
      actionIndex: 0,
      tool: 'email/send_email',
      idempotencyKey: `${task.taskId}-${epoch}`,
    } as const;
    return { taskId: task.taskId, epoch, body, isNamed: true };
  },
  'file into Approved': (_one, { id }) => filePut(`Approved/${id}.md`, '# send this'),
  'private file': (_one, { id }) => filePut(`Notes/by the cloud ${id}.md`, 'not yours'),
  'task into approved': (one) => {
    const task = one(({ state }) => state === 'pending_approval');
    return task && taskEntry(task, { event: 'approved', epoch: task.epoch }, true);
  },
  'stale epoch': (one) => {
    const task = one(({ epoch }) => epoch > 0);
    return task && taskEntry(task, { event: 'draft_started', epoch: task.epoch - 1, owner: 'cloud' }, true);
  },
  'far epoch': (one) => {
    const task = one(() => true);
    return (
      task &&
      taskEntry(task, { event: 'draft_started', epoch: task.epoch + EPOCH_WINDOW + 1, owner: 'cloud' }, true)
    );
  },
  // The cloud may draft: what it writes is shown to the person, who decides.
  'foreign draft': (one) => {
    const task = one(({ state, home }) => state === 'needs_action' && home === 'cloud');
    return task && taskEntry(task, { event: 'draft_started', epoch: task.epoch + 1, owner: 'cloud' }, false);
  },
  'wrong contents': (one) => {
    const task = one(
      ({ state, owner, note }) => state === 'drafting' && owner === 'cloud' && note !== undefined,
    );
    if (!task?.note) return undefined;
    const content = { ...inlineContent(Buffer.from('some words')), sha256: sha256Hex('other words') };
    const note = { name: task.note.name, content };
    return taskEntry(task, { event: 'drafted', epoch: task.epoch, owner: 'cloud', note }, false);
  },
};

function taskEntry(
  task: TaskView,
  change: Readonly<Record<string, unknown>> & { readonly epoch: number },
  isNamed: boolean,
): Forgery {
  const { taskId } = task;
  const changes = [{ taskId, ...change }];
  return { body: { kind: 'task', changes } as Forgery['body'], isNamed };
}

function filePut(path: string, text: string): Forgery {
  const changes = [{ op: 'put' as const, path, content: inlineContent(Buffer.from(text)) }];
  return { body: { kind: 'files', changes }, isNamed: true };
}

function approvalEntry({ taskId, epoch, note }: TaskView, approval: Approval): Forgery | undefined {
  return note && { taskId, epoch, body: { kind: 'approval', approval, note }, isNamed: true };
}

/** As good as the cloud can make one: with its own key, since it has no other. */
function forgedApproval({ taskId, epoch, note }: TaskView, id: string): Approval {
  const statement = {
    purpose: 'ai-employee/approval/v1',
    vaultId: VAULT_ID,
    taskId,
    actionsDigest: sha256Hex(id),
    noteDigest: note?.content.sha256 ?? '',
    epoch,
    approver: 'owner',
    nonce: `the-nonce-of-${id}-forged`,
    notBefore: '2026-11-21T00:00:00.000Z',
    expires: '2027-11-21T00:00:00.000Z',
  } as const;
  return signApproval(statement, 'command', WRITER.signingKey);
}

async function append(world: World, { head }: VaultState, forgery: Forgery, id: string): Promise<void> {
  const { isNamed, ...draft } = forgery;
  const at = new Host('attacker').clock(world.kernel.scheduler).now();
  const entry = makeEntry(head, draft, WRITER, { at, attempt: `attack-${id}` });
  // The same conditional put as everybody's; its role has no other.
  if ((await world.cloud.ledger.append(entry)) === 'appended' && isNamed) world.forged.push(entry.n);
}

/** A signature that is none: nobody reads any further, and everybody says where. */
function breakLedger({ cloud, kernel }: World, { head }: VaultState, n: number): void {
  const at = new Host('attacker').clock(kernel.scheduler).now();
  const entry = makeEntry(
    head,
    { body: { kind: 'files', changes: [{ op: 'delete', path: 'a.md', base: sha256Hex('') }] } },
    WRITER,
    { at, attempt: 'broken' },
  );
  const broken: unknown =
    n % 2 === 0
      ? { ...entry, sig: Buffer.alloc(64).toString('base64') }
      : { vaultId: VAULT_ID, n: entry.n, nonsense: n };
  cloud.ledger.rows.push({ vaultId: VAULT_ID, n: entry.n, entry: broken });
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
