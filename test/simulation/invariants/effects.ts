import { createHash } from 'node:crypto';
import { verifyApproval } from '#protocol/approval.ts';
import type { ToolCall } from '#local-agent/tool-host.ts';
import type { Call } from '../kernel/fate.ts';
import type { Step } from '../kernel/kernel.ts';
import { ATTACKER } from '../world/mails.ts';
import { machinesAhead } from '../world/cut-ledger.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import type { WitnessView } from './witness.ts';

/**
 * Invariants 3, 4, 5, 6, 13 and 16, at each call of a tool and each mail that goes out: whatever the product believes,
 * the ledger has to hold an approval of exactly these bytes by the owner's own key that is in force then, an intent that consumed it, and no
 * call before this one may have used either.
 */
export function auditEffects(world: World, witness: WitnessView): Auditor {
  const usedNonces = new Map<string, string>();
  const usedKeys = new Set<string>();
  const called = new Map<string, ToolCall>();
  const sent = new Map<string, number>();

  function call(step: Call): void {
    const made = step.args[0] as ToolCall;
    const { taskId, idempotencyKey, ...mail } = made.args;
    const key = String(idempotencyKey);
    const machine = step.process.host.name;
    const intents = witness.ever().flatMap(({ entry, body }) =>
      // Whoever holds the cloud's keys may write what it likes; it is no intent of the owner's.
      body.kind === 'intent' &&
      body.idempotencyKey === key &&
      entry.taskId === taskId &&
      world.machines.has(entry.writer)
        ? [{ entry, body }]
        : [],
    );
    const intent = intents[0];
    requireThat(
      intents.length === 1 && intent !== undefined,
      '6',
      () => `${key} was called with ${intents.length} intents in the ledger`,
    );
    if (!intent) return;
    requireThat(
      intent.entry.writer === machine,
      '6',
      () => `${machine} called ${key}, whose intent is ${intent.entry.writer}'s`,
    );
    const digest = digestOf(mail);
    const approvals = witness
      .ever()
      .flatMap(({ entry, body }) =>
        body.kind === 'approval' &&
        body.approval.statement.nonce === intent.body.nonce &&
        entry.n < intent.entry.n
          ? [{ entry, approval: body.approval }]
          : [],
      );
    const approver = approverAt(intent.entry.n);
    const good = approvals.filter(({ entry, approval }) => {
      const { statement } = approval;
      return (
        world.machines.has(entry.writer) &&
        verifyApproval(approval, approver) &&
        statement.taskId === taskId &&
        [digest, digestOf({ ...mail, isReply: false })].includes(statement.actionsDigest)
      );
    });
    requireThat(
      good.length > 0,
      '3',
      () => `${key} was called without an approval of these bytes by the owner's key`,
    );
    requireThat(
      !usedNonces.has(intent.body.nonce),
      '5',
      () => `the approval of ${key} was used before, by ${usedNonces.get(intent.body.nonce) ?? ''}`,
    );
    requireThat(!usedKeys.has(key), '5', () => `${key} was called twice`);
    usedNonces.set(intent.body.nonce, key);
    usedKeys.add(key);
    called.set(key, made);
  }

  /** The approver's key in force at an entry, if it is one that the owner's machine made. */
  function approverAt(n: number): string {
    const keys = witness
      .entries()
      .findLast(({ entry, body, accepted }) => accepted && body.kind === 'keys' && entry.n < n)?.body;
    const key = keys?.kind === 'keys' ? (keys.approvers[0]?.publicKey ?? '') : '';
    return world.machines.get('laptop')?.keys.approverKeys.has(key) ? key : '';
  }

  function send(step: Step): void {
    const mail = step.args[0] as {
      destinations: readonly string[];
      from: string;
      tags: Readonly<Record<string, string>>;
    };
    const key = mail.tags['intent'] ?? '';
    const asked = called.get(key);
    const wanted = [asked?.args['to'], asked?.args['cc']].flat().map(String);
    requireThat(asked !== undefined, '3', () => `a mail of ${key} went out that no call asked for`);
    requireThat(
      mail.destinations.every((address) => wanted.includes(address)) && mail.from === asked?.args['from'],
      '3',
      () => `${key} went to ${mail.destinations.join()}, approved were ${wanted.join()}`,
    );
    requireThat(!mail.destinations.includes(ATTACKER), '13', () => `${key} went to ${ATTACKER}`);
    sent.set(key, (sent.get(key) ?? 0) + 1);
    requireThat(sent.get(key) === 1, '5', () => `${key} went out twice`);
  }

  /** Whatever was begun has an end that the ledger tells, and the end that it had. */
  function settled(): void {
    const entries = witness.entries().filter(({ accepted }) => accepted);
    const sawMore = new Set(machinesAhead(world).map(({ name }) => name));
    for (const { entry, body } of entries) {
      if (body.kind !== 'intent') continue;
      const key = body.idempotencyKey;
      const result = entries.find(
        (each) => each.body.kind === 'result' && each.body.intentN === entry.n,
      )?.body;
      // Behind an entry that nobody can read, nothing can be told any more; and nothing by a machine that saw entries
      // which are gone, be it the one that began or the one that took over: what it knows stands in its copy.
      const { owner = '' } = witness.state.tasks.get(entry.taskId ?? '') ?? {};
      const isStuck = witness.broken !== undefined || sawMore.has(entry.writer) || sawMore.has(owner);
      if (!result && isStuck) continue;
      requireThat(result?.kind === 'result', '5', () => `how ${key} ended is told nowhere`);
      if (result?.kind !== 'result' || world.plan.lies > 0) continue;
      const isSent = sent.has(key);
      requireThat(
        result.outcome !== 'succeeded' || isSent,
        '6',
        () => `${key} is said to be done, and nothing went out`,
      );
      requireThat(
        result.outcome !== 'failed' || !isSent,
        '6',
        () => `${key} is said to have failed, and went out`,
      );
    }
  }

  return {
    begin: (made) => {
      if (made.port === 'tools' && made.method === 'call') call(made);
    },
    step: (step) => {
      if (step.port === 'ses' && step.error === undefined) send(step);
    },
    atEnd: settled,
  };
}

/** The digest of a mail as it was handed to the tool, by other code than the product's. */
function digestOf(mail: Readonly<Record<string, unknown>> & { readonly isReply?: boolean }): string {
  const { isReply = true, attachments, ...rest } = mail;
  const action = {
    ...rest,
    kind: isReply ? 'email.reply' : 'email.send',
    attachments: (attachments as readonly { sha256: string }[]).length === 0 ? [] : attachments,
  };
  const actions = isReply
    ? [action]
    : [Object.fromEntries(Object.entries(action).filter(([name]) => name !== 'references'))];
  const text = sortedJson({ purpose: 'ai-employee/actions/v1', actions });
  return createHash('sha256').update(text).digest('hex');
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join()}}`;
}
