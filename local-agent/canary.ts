import { randomInt } from 'node:crypto';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskState } from '#protocol/task.ts';
import { shortId } from '#protocol/ids.ts';
import type { Agent } from './agent.ts';
import { inboxItem } from './inbox.ts';
import { senderWords } from './show.ts';

/** A mail that came out at this end: through DNS, SES, the active receipt rule, triage and the ledger. */
export interface Arrival {
  readonly taskId: string;
  readonly short: string;
  readonly state: TaskState;
  readonly subject: string;
  readonly receivedAt: string;
  /** What is proved of who sent it. */
  readonly sender: string;
  readonly why?: string;
  /** Where its note will stand in the vault, unless the mail was left alone. */
  readonly path?: string;
}

/** Letters and digits that nobody takes for another. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A subject that no other mail has. */
export function newCanarySubject(): string {
  return `canary ${Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('')}`;
}

/** Reads what is new in the ledger, and finds the last mail with these words in its subject, capitals or not. */
export async function findArrival({ session }: Agent, words: string): Promise<Arrival | undefined> {
  await session.pull();
  const wanted = words.toLowerCase();
  const task = [...session.state.tasks.values()].findLast(({ mail }) =>
    mail?.subject.toLowerCase().includes(wanted),
  );
  if (!task) return undefined;
  const { subject, receivedAt, why } = inboxItem(task);
  const path = notePath(task);
  return {
    taskId: task.taskId,
    short: shortId(task.taskId),
    state: task.state,
    subject,
    receivedAt,
    sender: senderWords(task),
    ...(why === undefined ? {} : { why }),
    ...(path === undefined ? {} : { path }),
  };
}
