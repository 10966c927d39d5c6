import { shortId } from '#protocol/ids.ts';
import type { TaskState } from '#protocol/task.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { visibleLine } from './visible.ts';

/** A task as the inbox lists it. Texts that came by mail are made visible and fit on a line. */
export interface InboxItem {
  readonly taskId: string;
  readonly short: string;
  readonly state: TaskState;
  readonly subject: string;
  readonly from: string;
  readonly receivedAt: string;
  readonly warnings: readonly string[];
  /** Where its note stands in the vault. */
  readonly path?: string;
  /** Why it stands there, or what is wanted of the person. */
  readonly why?: string;
}

/** The states in which a task waits for a person. */
const WAITING: ReadonlySet<TaskState> = new Set([
  'needs_action',
  'pending_approval',
  'failed',
  'indeterminate',
  'quarantined',
]);

/** What waits for the person, oldest first; with `all`, every task there is. */
export function inbox(agent: Pick<Agent, 'session'>, options: { readonly all?: boolean } = {}): InboxItem[] {
  return [...agent.session.state.tasks.values()]
    .filter((task) => options.all === true || WAITING.has(task.state))
    .sort((a, b) => a.createdN - b.createdN)
    .map(inboxItem);
}

/** One task as the inbox lists it. */
export function inboxItem(task: TaskView): InboxItem {
  const path = notePath(task);
  const why =
    task.explained ?? (task.voided === undefined ? reasonWords(task) : `approve it again: ${task.voided}`);
  return {
    taskId: task.taskId,
    short: shortId(task.taskId),
    state: task.state,
    // What came by no mail is known by the name of its note.
    subject: visibleLine(task.mail?.subject ?? task.note?.name.replace(/\.md$/, '') ?? '') || '(no subject)',
    from: visibleLine(senderOf(task)),
    receivedAt: task.mail?.receivedAt ?? task.createdAt,
    warnings: task.warnings,
    ...(path === undefined ? {} : { path }),
    ...(why === undefined ? {} : { why: visibleLine(why) }),
  };
}

/** Who wrote; where the mail itself does not say it readably, who handed it in. */
function senderOf({ mail }: TaskView): string {
  if (mail?.from) return [mail.from.name, `<${mail.from.address}>`].filter(Boolean).join(' ');
  return mail?.envelopeFrom ? `${mail.envelopeFrom} (envelope)` : '';
}

/** Why a task stands where it stands, without the code that triage puts before its words. */
export function reasonWords(task: Pick<TaskView, 'reason'>): string | undefined {
  return task.reason?.replace(/^[a-z]+(-[a-z]+)*: (?=[A-Z])/, '');
}
