import { verifyApproval } from '#protocol/approval.ts';
import type { ApprovalStatement } from '#protocol/approval.ts';
import { epochFault } from '#protocol/key-epoch.ts';
import type { KeysBody, LedgerBody } from '#protocol/ledger-body.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import { problem } from './problem.ts';
import type { Problem } from './problem.ts';

/** An execution that the ledger says was begun. */
export interface AuditedIntent {
  readonly n: number;
  readonly taskId: string;
  readonly writer: string;
  readonly key: string;
  result?: { readonly n: number; readonly outcome: string };
}

/**
 * Reads the entries that took effect a second time, by rules of its own rather than those of replay:
 * key epochs go up one by one, and what is sealed with another than the one in force says nothing; epochs of tasks
 * never fall; every effect has an approval before it that an approver signed for that very task
 * and those very actions, and that no effect used before; every result ends one intent, once. What it
 * finds would mean that replay let something through.
 */
export class EntryAuditor {
  readonly problems: Problem[] = [];
  /** By idempotency key. */
  readonly intents = new Map<string, AuditedIntent>();
  readonly #intentAt = new Map<number, AuditedIntent>();
  readonly #epochs = new Map<string, number>();
  readonly #approvals = new Map<string, { readonly statement: ApprovalStatement; used: boolean }>();
  /** Approvals not used yet when the key of their approver was renewed. */
  readonly #void = new Set<string>();
  #keys: KeysBody | undefined;
  #founder: string | undefined;

  /** Takes the next entry that was not refused. */
  see(entry: LedgerEntry, body: LedgerBody): void {
    const { keyEpoch = entry.keyEpoch } = this.#keys ?? {};
    if (entry.keyEpoch !== keyEpoch) {
      this.#find(entry, entry.taskId, `is sealed with key epoch ${entry.keyEpoch}, not ${keyEpoch}`);
    }
    if (body.kind === 'keys') this.#seeKeys(entry, body);
    if (body.kind === 'task') {
      for (const { taskId, epoch } of body.changes) this.#seeEpoch(entry, taskId, epoch);
      return;
    }
    const { taskId } = entry;
    if (taskId === undefined) return;
    if (entry.epoch !== undefined) this.#seeEpoch(entry, taskId, entry.epoch);
    if (body.kind === 'approval') this.#seeApproval(entry, taskId, body);
    if (body.kind === 'intent') this.#seeIntent(entry, taskId, body);
    if (body.kind === 'result') this.#seeResult(entry, taskId, body);
  }

  /** Whoever is no machine of the owner may renew its own key, and nothing else. */
  #seeKeys(entry: LedgerEntry, body: KeysBody): void {
    const before = this.#keys;
    this.#keys = body;
    this.#founder ??= entry.writer;
    const keys = before ? { keys: before, founder: this.#founder } : {};
    const step = epochFault(keys, entry.writer, body);
    if (step !== undefined) this.#find(entry, undefined, step);
    for (const [nonce, { statement, used }] of this.#approvals) {
      if (!used && approverKey(before, statement) !== approverKey(body, statement)) this.#void.add(nonce);
    }
    if (!before || before.writers.some(({ writer, zone }) => writer === entry.writer && zone === 'local'))
      return;
    const others = ({ approvers, keyEpoch, writers }: KeysBody): string =>
      JSON.stringify([
        approvers,
        keyEpoch,
        writers.map((row) => (row.writer === entry.writer ? row.zone : row)),
      ]);
    if (others(before) !== others(body)) {
      const what = `changed keys that are not its own (${entry.writer})`;
      this.problems.push(
        problem('order', `ledger entry ${entry.n} ${what}, and readers accepted it`, { n: entry.n }),
      );
    }
  }

  #seeEpoch(entry: LedgerEntry, taskId: string, epoch: number): void {
    const before = this.#epochs.get(taskId) ?? 0;
    if (epoch < before) this.#find(entry, taskId, `was written with epoch ${epoch} after epoch ${before}`);
    this.#epochs.set(taskId, Math.max(before, epoch));
  }

  #seeApproval(entry: LedgerEntry, taskId: string, body: Extract<LedgerBody, { kind: 'approval' }>): void {
    const { statement } = body.approval;
    const approver = this.#keys?.approvers.find((known) => known.approver === statement.approver);
    this.#requireLocal(entry, taskId);
    if (!approver || !verifyApproval(body.approval, approver.publicKey)) {
      this.#find(entry, taskId, `is an approval that ${statement.approver} did not sign`);
    }
    if (statement.taskId !== taskId) this.#find(entry, taskId, 'is an approval of another task');
    if (statement.noteDigest !== body.note.content.sha256) {
      this.#find(entry, taskId, 'is an approval of another note');
    }
    if (this.#approvals.has(statement.nonce)) this.#find(entry, taskId, 'is an approval given before');
    else this.#approvals.set(statement.nonce, { statement, used: false });
  }

  #seeIntent(entry: LedgerEntry, taskId: string, body: Extract<LedgerBody, { kind: 'intent' }>): void {
    const approval = this.#approvals.get(body.nonce);
    this.#requireLocal(entry, taskId);
    if (!approval) this.#find(entry, taskId, 'began an effect without an approval before it');
    else {
      const { statement, used } = approval;
      if (used) this.#find(entry, taskId, 'began a second effect upon one approval');
      if (this.#void.has(body.nonce)) this.#find(entry, taskId, 'began an effect upon a void approval');
      if (statement.taskId !== taskId)
        this.#find(entry, taskId, "began an effect upon another task's approval");
      if (statement.actionsDigest !== body.actionsDigest) {
        this.#find(entry, taskId, 'began an effect that is not the one approved');
      }
      approval.used = true;
    }
    if (this.intents.has(body.idempotencyKey)) {
      this.#find(entry, taskId, `began the effect ${body.idempotencyKey} again`);
      return;
    }
    const intent = { n: entry.n, taskId, writer: entry.writer, key: body.idempotencyKey };
    this.intents.set(intent.key, intent);
    this.#intentAt.set(entry.n, intent);
  }

  #seeResult(entry: LedgerEntry, taskId: string, body: Extract<LedgerBody, { kind: 'result' }>): void {
    const intent = this.#intentAt.get(body.intentN);
    this.#requireLocal(entry, taskId);
    if (intent?.taskId !== taskId) this.#find(entry, taskId, 'is a result without an intent before it');
    else if (intent.result) this.#find(entry, taskId, `is a second result of the intent ${intent.n}`);
    else intent.result = { n: entry.n, outcome: body.outcome };
  }

  #requireLocal(entry: LedgerEntry, taskId: string): void {
    const zone = this.#keys?.writers.find(({ writer }) => writer === entry.writer)?.zone;
    if (zone !== 'local') this.#find(entry, taskId, `is an entry of kind ${entry.kind} by ${entry.writer}`);
  }

  #find({ n }: LedgerEntry, taskId: string | undefined, what: string): void {
    const about = taskId === undefined ? { n } : { n, taskId };
    this.problems.push(problem('order', `ledger entry ${n} ${what}, and readers accepted it`, about));
  }
}

function approverKey(keys: KeysBody | undefined, { approver }: ApprovalStatement): string | undefined {
  return keys?.approvers.find((known) => known.approver === approver)?.publicKey;
}
