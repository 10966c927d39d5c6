import { PlainAddress } from '#protocol/action.ts';
import { answerReferences } from '#protocol/mail.ts';
import type { Address, Delivery, MailRecord, ParsedMail } from '#protocol/mail.ts';

/** Enough of the attachments for any honest mail; the note names how many more there are. */
const MAX_ATTACHMENTS = 50;

/**
 * What the ledger keeps of a mail. Recipients of an answer are decided here and nowhere else: `Reply-To`
 * where it names a plain address that is not our own (which would be a loop), else `From`. Every string is
 * well-formed Unicode, and the whole is small enough for one entry.
 */
export function mailRecord(
  delivery: Delivery,
  mail: ParsedMail | undefined,
  ownAddresses: readonly string[],
): MailRecord {
  const envelope = {
    sesMessageId: delivery.sesMessageId,
    receivedAt: delivery.receivedAt,
    envelopeFrom: delivery.envelopeFrom.toWellFormed().slice(0, 320),
    authentication: delivery.authentication,
  };
  if (!mail) return { ...envelope, references: [], answerTo: [], subject: '', attachments: [] };
  const [from] = mail.from;
  const ids = { messageId: mail.messageId?.toWellFormed(), references: mail.references.filter(isMessageId) };
  // RFC 5322 §3.6.4: without References, In-Reply-To stands in for them.
  const inReplyTo =
    ids.references.length === 0 && mail.inReplyTo && isMessageId(mail.inReplyTo) ? [mail.inReplyTo] : [];
  return {
    ...envelope,
    ...(ids.messageId === undefined ? {} : { messageId: ids.messageId }),
    references: answerReferences({ references: [...ids.references, ...inReplyTo] }),
    ...(from ? { from: clean(from) } : {}),
    answerTo: answerTo(mail, ownAddresses),
    subject: mail.subject.toWellFormed(),
    attachments: mail.attachments
      .slice(0, MAX_ATTACHMENTS)
      .map((file) => ({ ...file, name: file.name.toWellFormed(), type: file.type.toWellFormed() })),
  };
}

function answerTo(mail: ParsedMail, ownAddresses: readonly string[]): Address[] {
  const usable = (addresses: readonly Address[]): Address[] => {
    const seen = new Set(ownAddresses);
    return addresses.filter(({ address }) => {
      const key = address.toLowerCase();
      if (seen.has(key) || !PlainAddress.safeParse(address).success) return false;
      seen.add(key);
      return true;
    });
  };
  const wished = usable(mail.replyTo);
  return (wished.length > 0 ? wished : usable(mail.from)).map(clean);
}

function clean({ name, address }: Address): Address {
  return { ...(name === undefined ? {} : { name: name.toWellFormed() }), address: address.toWellFormed() };
}

function isMessageId(id: string): boolean {
  return id.length <= 500 && /^<[^<>\s\p{C}]+>$/u.test(id);
}
