import { z } from 'zod';
import { Instant } from './ids.ts';

/** One mailbox. `name` is what the sender calls it and proves nothing. */
export const Address = z.strictObject({
  name: z.string().max(500).optional(),
  address: z.string().max(320),
});
export type Address = z.infer<typeof Address>;

/** A verdict of SES. Whatever is not PASS or FAIL counts as not proved. */
export const Verdict = z.enum(['PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED', 'ABSENT']);
export type Verdict = z.infer<typeof Verdict>;

/** What SES itself found, from the notification: headers inside the mail are forgeable and ignored. */
export const Authentication = z.strictObject({
  spf: Verdict,
  dkim: Verdict,
  dmarc: Verdict,
  dmarcPolicy: z.enum(['none', 'quarantine', 'reject']).optional(),
  spam: Verdict,
  virus: Verdict,
});
export type Authentication = z.infer<typeof Authentication>;

/** An attachment as a fact; its bytes stay in the inbound bucket. */
export const AttachmentFact = z.strictObject({
  name: z.string().max(255),
  type: z.string().max(255),
  sizeBytes: z.int().nonnegative(),
});
export type AttachmentFact = z.infer<typeof AttachmentFact>;

/** Who the sender is, as far as `From` says it unmistakably. */
export type SenderTrust = 'authenticated' | 'unproved' | 'failed' | 'ambiguous';

/**
 * What a mail says about itself, as the parser read it. Nothing here is trusted; strings are bounded.
 * `text` is the readable text (of the HTML where there is no plain part), line ends `\n`.
 */
export const ParsedMail = z.strictObject({
  messageId: z.string().max(998).optional(),
  inReplyTo: z.string().max(998).optional(),
  references: z.array(z.string().max(998)).max(200),
  from: z.array(Address).max(50),
  replyTo: z.array(Address).max(50),
  to: z.array(Address).max(500),
  cc: z.array(Address).max(500),
  subject: z.string().max(998),
  date: Instant.optional(),
  text: z.string().max(262_144),
  textTruncated: z.boolean(),
  /** The HTML holds text that a reader would not see: the usual place for injected orders. */
  hiddenText: z.boolean(),
  attachments: z.array(AttachmentFact).max(200),
  autoSubmitted: z.string().max(100).optional(),
  precedence: z.string().max(100).optional(),
  list: z.boolean(),
  autoResponseSuppress: z.boolean(),
  calendarMethod: z.string().max(50).optional(),
  report: z.enum(['delivery-status', 'feedback-report', 'disposition-notification']).optional(),
  /** The mail that a bounce or a complaint is about, if it says. */
  reportedMessageId: z.string().max(998).optional(),
  defects: z.array(z.string().max(200)).max(50),
});
export type ParsedMail = z.infer<typeof ParsedMail>;

/** What SES says of a delivery: the envelope and its verdicts (SNS "Received" notification). */
export interface Delivery {
  readonly sesMessageId: string;
  readonly receivedAt: string;
  readonly envelopeFrom: string;
  readonly envelopeTo: readonly string[];
  readonly authentication: Authentication;
  readonly raw: { readonly bucket: string; readonly key: string };
}

/**
 * The part of a mail that later steps need, as it stands in the ledger: threading and recipients of an
 * answer come from here, by code, and never from a model or from the words of the note.
 */
export const MailRecord = z.strictObject({
  sesMessageId: z.string().max(200),
  messageId: z.string().max(998).optional(),
  references: z.array(z.string().max(998)).max(200),
  from: Address.optional(),
  /** Where an answer goes: `Reply-To`, or else `From`. */
  answerTo: z.array(Address).max(50),
  subject: z.string().max(998),
  receivedAt: Instant,
  envelopeFrom: z.string().max(320),
  authentication: Authentication,
  attachments: z.array(AttachmentFact).max(200),
});
export type MailRecord = z.infer<typeof MailRecord>;

/** The sender in one word, from SES's verdicts and the count of `From` addresses alone. */
export function senderTrust(from: readonly Address[], authentication: Authentication): SenderTrust {
  if (from.length !== 1) return 'ambiguous';
  const { spf, dkim, dmarc } = authentication;
  if (dmarc === 'FAIL') return 'failed';
  if (dmarc === 'PASS' && (spf === 'PASS' || dkim === 'PASS')) return 'authenticated';
  return 'unproved';
}

/**
 * The `References` of an answer (RFC 5322 §3.6.4): those of the mail, then the mail itself. The first
 * and the latest are kept when there are more than 50.
 */
export function answerReferences(mail: Pick<MailRecord, 'messageId' | 'references'>): string[] {
  const all = [...mail.references, ...(mail.messageId ? [mail.messageId] : [])];
  const unique = all.filter((id, index) => all.indexOf(id) === index);
  return unique.length <= 50 ? unique : [unique[0] ?? '', ...unique.slice(-49)];
}

/** `Re: ` once, however many stood there (RFC 5322 §3.6.5). */
export function answerSubject(subject: string): string {
  const bare = subject.replace(/^(\s*(re|aw|sv|antw)\s*(\[\d+\])?\s*:\s*)+/i, '').trim();
  return `Re: ${bare === '' ? '(no subject)' : bare}`;
}
