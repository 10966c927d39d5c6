import type { Action } from '#protocol/action.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import { senderTrust } from '#protocol/mail.ts';
import type { SenderTrust } from '#protocol/mail.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { inboxItem } from './inbox.ts';
import type { InboxItem } from './inbox.ts';
import { planOf } from './plan.ts';
import { visibleText } from './visible.ts';

/** What a person looks at before saying yes: computed from the bytes that would be approved. */
export interface Preview {
  readonly task: InboxItem;
  readonly path?: string;
  /** What would be done; empty when the note has no draft. */
  readonly actions: readonly Action[];
  readonly actionsDigest?: string;
  readonly noteDigest?: string;
  /** The sender's authentication in plain words, and in one; `none` when the task is no mail. */
  readonly sender: string;
  readonly trust: SenderTrust | 'none';
  /** The whole note, with every unseen character made visible. */
  readonly text: string;
  /** Why it cannot be approved as it stands. */
  readonly problem?: string;
}

/** The preview of one task, from the note as it stands in the vault at this moment. */
export async function previewTask(agent: Agent, taskId: string): Promise<Preview> {
  const task = agent.session.state.tasks.get(taskId);
  if (!task) throw new NoteFormatError(`${taskId} is not in the ledger`);
  const path = notePath(task);
  const bytes = path === undefined ? undefined : await agent.files.read(path);
  const basis = {
    task: inboxItem(task),
    ...(path === undefined ? {} : { path }),
    sender: senderWords(task),
    trust: trustOf(task),
  };
  if (!bytes) {
    const problem =
      path === undefined
        ? `no note: the mail was ${task.state}`
        : `${path} is not in the vault; run "employee sync"`;
    return { ...basis, actions: [], text: '', problem };
  }
  const text = visibleText(Buffer.from(bytes).toString('utf8'));
  try {
    const { actions, actionsDigest, noteDigest } = await planOf(agent, task, bytes);
    return { ...basis, actions, actionsDigest, noteDigest, text };
  } catch (error) {
    if (!(error instanceof NoteFormatError)) throw error;
    return { ...basis, actions: [], text, problem: error.message };
  }
}

/** Who sent the mail, as far as that is proved. */
export function senderWords(task: TaskView): string {
  const { mail } = task;
  if (!mail) return 'not a mail';
  const { spf, dkim, dmarc } = mail.authentication;
  const verdicts = `SPF ${spf}, DKIM ${dkim}, DMARC ${dmarc}`;
  switch (trustOf(task)) {
    case 'none':
      return 'not a mail';
    case 'authenticated':
      return `${mail.from?.address ?? ''} is who it says (${verdicts})`;
    case 'failed':
      return `NOT from ${mail.from?.address ?? ''}: the domain disowns it (${verdicts})`;
    case 'ambiguous':
      return `unclear who sent this: it names no one sender (${verdicts})`;
    case 'unproved':
      return `${mail.from?.address ?? ''} is not proved to have sent this (${verdicts})`;
  }
}

function trustOf({ mail }: TaskView): Preview['trust'] {
  return mail ? senderTrust(mail.from ? [mail.from] : [], mail.authentication) : 'none';
}
