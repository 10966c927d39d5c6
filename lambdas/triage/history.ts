import { senderTrust } from '#protocol/mail.ts';
import type { Delivery, ParsedMail } from '#protocol/mail.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { TriageContext } from './classify.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What the ledger knows that helps with new mail. Made once a batch, in one pass over the tasks. */
export interface History {
  contextOf(mail: ParsedMail, delivery: Delivery): TriageContext;
  /** The task whose sent answer a bounce or a complaint is about. */
  reported(mail: ParsedMail): TaskView | undefined;
}

/** Reads the ledger's tasks for senders that were proved before, message ids, and recent mails by thread. */
export function readHistory(state: VaultState, ownAddresses: readonly string[]): History {
  const knownDomains = new Set<string>();
  const known = new Set<string>();
  const bySender = new Map<string, TaskView[]>();
  const byProviderId = new Map<string, TaskView>();
  for (const task of state.tasks.values()) {
    const { mail, result } = task;
    if (result?.providerId !== undefined) byProviderId.set(result.providerId.toLowerCase(), task);
    if (!mail?.from) continue;
    if (mail.messageId !== undefined) known.add(mail.messageId);
    const sender = mail.from.address.toLowerCase();
    if (senderTrust([mail.from], mail.authentication) === 'authenticated') knownDomains.add(domainOf(sender));
    const earlier = bySender.get(sender);
    if (earlier) earlier.push(task);
    else bySender.set(sender, [task]);
  }
  // SES writes Message-ID anew: `<its own id@region.amazonses.com>`.
  const sentBy = (id: string): TaskView | undefined => byProviderId.get(localPart(id));

  return {
    contextOf: (mail, delivery) => {
      const thread = threadOf(mail);
      const sender = mail.from[0]?.address.toLowerCase() ?? '';
      const since = Date.parse(delivery.receivedAt) - DAY_MS;
      const recent = (bySender.get(sender) ?? []).filter(
        (task) =>
          Date.parse(task.mail?.receivedAt ?? '') > since &&
          (task.mail?.references ?? []).some((id) => thread.has(id)),
      );
      return {
        ownAddresses,
        knownDomains,
        inThread: [...thread].some((id) => known.has(id) || sentBy(id) !== undefined),
        threadMails: new Set(recent.map((task) => task.mail?.messageId)).size,
      };
    },
    reported: ({ reportedMessageId }) =>
      reportedMessageId === undefined ? undefined : sentBy(reportedMessageId),
  };
}

/** The mails that this one answers. Its own id is not among them: a mail sent twice is no thread. */
function threadOf(mail: ParsedMail): Set<string> {
  return new Set([...mail.references, ...(mail.inReplyTo === undefined ? [] : [mail.inReplyTo])]);
}

function localPart(messageId: string): string {
  return messageId.replace(/^<|>$/g, '').split('@', 1)[0]?.toLowerCase() ?? '';
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
