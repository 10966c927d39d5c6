import { taskIdOfMail } from '#protocol/ids.ts';
import type { PlannedMail } from '../plan.ts';
import { THE_ITEMS } from '../world/mishaps.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import { isWhole } from './cuts.ts';
import type { Auditor } from './auditor.ts';
import { newEntries } from './witness.ts';
import type { WitnessedEntry, WitnessView } from './witness.ts';

/** Where triage has to send a mail of each kind. */
const CREATED: Readonly<Record<PlannedMail['kind'], readonly string[]>> = {
  question: ['needs_action'],
  long: ['needs_action'],
  injection: ['needs_action', 'quarantined'],
  newsletter: ['ignored'],
  bounce: ['ignored', 'needs_action'],
  'two-senders': ['needs_action', 'quarantined'],
  virus: ['quarantined'],
  unreadable: ['quarantined'],
};
/** So much later than it came a mail is dealt with where nothing fails. */
const MAX_DELAY_MS = 5 * 60_000;

/**
 * Invariants 1, 2 and 14, in the end: each accepted mail made exactly one task and that one is drafted, ignored with a
 * reason, quarantined or a person's, or its message is in a dead-letter queue. Where nothing fails nothing is dead, and
 * no mail waits for another.
 */
export function auditMails(world: World, witness: WitnessView): Auditor {
  const { plan, cloud, kernel } = world;
  const isFlawless =
    Object.values(plan.faults).every((rate) => rate === 0) &&
    plan.slow === 0 &&
    plan.duplicates === 0 &&
    plan.cuts.length === 0;
  const seenAtMs = new Map<string, number>();
  const fresh = newEntries(witness);

  function look(): void {
    for (const entry of fresh()) {
      for (const change of changesOf(entry)) {
        if (change.event === 'created' && !seenAtMs.has(change.taskId))
          seenAtMs.set(change.taskId, kernel.scheduler.nowMs);
      }
    }
  }

  function outcome(mail: PlannedMail): void {
    const { id, kind, atMs, lateMs } = mail;
    const taskId = taskIdOfMail(id);
    const accepted = witness.entries().filter((each) => each.accepted);
    const made = accepted
      .flatMap(changesOf)
      .filter((change) => change.event === 'created' && change.mail?.sesMessageId === id);
    const isDead = cloud.inbound.dead.some(({ sesMessageId }) => sesMessageId === id);
    requireThat(made.length <= 1, '2', () => `${id} made ${made.length} tasks`);
    const [change] = made;
    // What became of a mail may have been told by an entry that is gone, or by nobody, where nobody can read any further.
    if (!isWhole(witness)) return;
    if (!change)
      return requireThat(isDead, '1', () => `${id} is nowhere: no task, and not in the dead-letter queue`);
    requireThat(change.taskId === taskId, '2', () => `${id} made the task ${change.taskId}`);
    requireThat(
      CREATED[kind].includes(change.state ?? ''),
      '1',
      () => `${id} (${kind}) became ${change.state ?? ''}: ${change.reason ?? ''}`,
    );
    requireThat(
      change.state !== 'ignored' || (change.reason ?? '') !== '',
      '1',
      () => `${id} was ignored without a reason`,
    );
    if (change.state === 'needs_action' && change.home === 'cloud') requireDrafted(taskId, accepted);
    if (!isFlawless || lateMs > 0) return;
    requireThat(!isDead, '14', () => `${id} went to the dead-letter queue, and nothing had failed`);
    requireThat(
      (seenAtMs.get(taskId) ?? 0) - atMs < MAX_DELAY_MS,
      '14',
      () => `${id} waited for ${(seenAtMs.get(taskId) ?? 0) - atMs} ms`,
    );
  }

  function requireDrafted(taskId: string, accepted: readonly WitnessedEntry[]): void {
    const isDrafted = accepted
      .flatMap(changesOf)
      .some((change) => change.taskId === taskId && change.event === 'drafted');
    const isTaken = accepted.some(
      ({ entry, body }) =>
        (entry.taskId === taskId && body.kind === 'claim') ||
        changesOf({ body }).some((change) => change.taskId === taskId && change.event === 'rejected'),
    );
    const isDead =
      cloud.drafting.dead.some((request) => request.taskId === taskId) ||
      cloud.inbound.dead.some(({ sesMessageId }) => taskIdOfMail(sesMessageId) === taskId);
    // Whose item was lost with a restored table waits for `employee repair`, which says so. And who holds the cloud's
    // role can always keep the cloud from drafting.
    const isLost = world.restored.has(THE_ITEMS) || plan.attacks.length > 0;
    requireThat(
      isDrafted || isTaken || isDead || isLost,
      '1',
      () => `${taskId} was to be drafted and never was`,
    );
  }

  return {
    step: ({ port, method }) => {
      if (port === 'ledger' && method === 'append') look();
    },
    atEnd: () => {
      requireThat(cloud.inbound.size + cloud.drafting.size === 0, '1', () => 'a queue is not empty');
      for (const mail of plan.mails) outcome(mail);
    },
  };
}

function changesOf(
  entry: Pick<WitnessedEntry, 'body'> | undefined,
): Extract<WitnessedEntry['body'], { kind: 'task' }>['changes'] {
  return entry?.body.kind === 'task' ? entry.body.changes : [];
}
