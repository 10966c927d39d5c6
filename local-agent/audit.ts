import type { LedgerBody } from '#protocol/ledger-body.ts';
import { zoneOf } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { openBodies } from './open-bodies.ts';

/** One entry of the ledger in words. */
export interface AuditLine {
  readonly n: number;
  readonly at: string;
  readonly writer: string;
  readonly zone: string;
  readonly kind: string;
  readonly taskId?: string;
  readonly epoch?: number;
  readonly what: string;
  /** Why readers refused it, if they did. */
  readonly refused?: string;
}

/**
 * The trail of one task, or of everything, from this machine's verified copy; oldest first.
 */
export function auditTrail(agent: Agent, taskId?: string): AuditLine[] {
  const lines: AuditLine[] = [];
  const { state } = agent.session;
  const open = openBodies(agent);
  for (const entry of agent.copy.entries()) {
    const body = open(entry);
    for (const { task, what } of sentences(body, entry.taskId)) {
      if (taskId !== undefined && task !== taskId) continue;
      const refusal = state.refusals.find((known) => known.n === entry.n && (known.taskId ?? task) === task);
      lines.push({
        n: entry.n,
        at: entry.at,
        writer: entry.writer,
        zone: zoneOf(state, entry.writer) ?? 'unknown',
        kind: entry.kind,
        ...(task === undefined ? {} : { taskId: task }),
        ...(entry.epoch === undefined ? {} : { epoch: entry.epoch }),
        what,
        ...(refusal ? { refused: refusal.message } : {}),
      });
    }
  }
  return lines;
}

function sentences(
  body: LedgerBody | undefined,
  task: string | undefined,
): { task: string | undefined; what: string }[] {
  if (body?.kind === 'task') {
    return body.changes.map((change) => ({
      task: change.taskId,
      what: [
        change.event,
        change.state,
        change.owner && `by ${change.owner}`,
        change.reason && `(${change.reason})`,
      ]
        .filter(Boolean)
        .join(' '),
    }));
  }
  return [{ task, what: body ? sentence(body) : 'sealed for others' }];
}

function overrideWords(what: Extract<LedgerBody, { kind: 'override' }>['what']): string {
  switch (what.of) {
    case 'conflict':
      return `settled the conflict ${what.copy} (${what.choice})`;
    case 'incident':
      return `acknowledged the refused entries ${what.entries.join(', ')}`;
    case 'repair':
      return `repair ${what.code}`;
  }
}

function sentence(body: LedgerBody): string {
  switch (body.kind) {
    case 'keys':
      return `keys of epoch ${body.keyEpoch}: writers ${body.writers.map(({ writer }) => writer).join(', ')}`;
    case 'files':
      return body.changes.map((change) => `${change.op} ${change.path}`).join(', ');
    case 'claim':
      return `${body.event} ${body.owner ?? ''}`.trim();
    case 'approval': {
      const { statement, method } = body.approval;
      return `approved by ${statement.approver} (${method}), actions ${statement.actionsDigest.slice(0, 12)}, until ${statement.expires}`;
    }
    case 'intent':
      return `about to call ${body.tool} as ${body.owner}, key ${body.idempotencyKey}`;
    case 'result':
      return [body.outcome, body.providerId && `as ${body.providerId}`, body.detail]
        .filter(Boolean)
        .join(', ');
    case 'delivery':
      return `${body.event} at ${body.happenedAt}`;
    case 'conflict':
      return `both versions of ${body.path} kept`;
    case 'override':
      return `${overrideWords(body.what)}: ${body.reason}`;
    case 'reseal':
      return `${body.moved.length} contents stored again under the keys in force`;
    case 'checkpoint':
      return `checkpoint up to ${body.upTo}`;
    case 'task':
      return body.changes.map((change) => change.event).join(', ');
  }
}
