import { domainToASCII, domainToUnicode } from 'node:url';
import { z } from 'zod';
import { HeaderText, PlainAddress } from '#protocol/action.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { Sha256, TaskId } from '#protocol/ids.ts';
import type { MailSender } from '#protocol/ports.ts';
import type { ToolOutcome } from '../tool-host.ts';
import { composeMail } from './compose.ts';
import { sendFailure } from './send-failure.ts';

/** SES's limit for a message with everything encoded. */
const MAX_MESSAGE_BYTES = 40 * 1024 * 1024;

const wellFormed = (text: string): boolean => text.isWellFormed();
const Words = HeaderText.refine(wellFormed, 'holds half a character');

/** SES has no SMTPUTF8: the part before the @ has to be ASCII. A domain has an ASCII form. */
const Mailbox = PlainAddress.refine(
  (address) => asciiAddress(address) !== undefined,
  'not an address that SES can deliver to (ASCII before the @, a valid domain after it)',
);

/** In a line of at most 998 characters there has to be room for the fold. */
const MessageId = z
  .string()
  .max(980)
  .regex(/^<[\x21-\x3b\x3d\x3f-\x7e]+>$/, 'not a message id in ASCII');

/** What `send_email` takes: one mail, complete, with what ties it to its task. */
export const SendEmail = z.strictObject({
  from: Mailbox,
  to: z.array(Mailbox).min(1).max(50),
  cc: z.array(Mailbox).max(50).default([]),
  subject: Words,
  text: z.string().min(1).max(1_000_000).refine(wellFormed, 'holds half a character'),
  inReplyTo: MessageId.optional(),
  references: z.array(MessageId).max(50).default([]),
  attachments: z
    .array(
      z.strictObject({
        // Readers decode what looks like an encoded word, however it is written, and show another name.
        name: Words.min(1)
          .max(255)
          .regex(/^[^/\\]+$/, 'a name, not a path')
          .refine((name) => !name.includes('=?'), 'would be shown as another name'),
        contentBase64: z.string(),
        sha256: Sha256,
      }),
    )
    .max(20)
    .default([]),
  /** Unique per intent; becomes SES's message tag `intent`, by which delivery events are matched. */
  idempotencyKey: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/, 'letters, digits, - and _ only'),
  taskId: TaskId,
});
export type SendEmail = z.infer<typeof SendEmail>;

/** What `send_email` works with. */
export interface EmailPorts {
  readonly sender: MailSender;
  readonly now: () => Date;
}

/**
 * Makes the tool: checks everything before the network is touched, composes, sends once.
 *
 * One process sends one key once: a second call with the key of a mail that went out, or may have, is refused
 * as `indeterminate`.
 *
 * @returns never rejects
 */
export function createEmailTool(ports: EmailPorts): (args: unknown) => Promise<ToolOutcome> {
  const spent = new Set<string>();
  return async (args) => {
    const checked = check(args, ports.now());
    if ('status' in checked) return checked;
    const { mail, raw } = checked;
    if (spent.has(mail.idempotencyKey)) {
      return { status: 'indeterminate', detail: 'a mail with this idempotency key was begun before' };
    }
    spent.add(mail.idempotencyKey);
    const outcome = await send(ports.sender, mail, raw);
    if (outcome.status === 'failed') spent.delete(mail.idempotencyKey);
    return outcome;
  };
}

async function send(sender: MailSender, mail: SendEmail, raw: Buffer): Promise<ToolOutcome> {
  try {
    const { messageId } = await sender.send({
      raw,
      from: mail.from,
      destinations: [...new Set([...mail.to, ...mail.cc])],
      tags: { task: mail.taskId, intent: mail.idempotencyKey },
    });
    return { status: 'succeeded', providerId: messageId, detail: 'SES took the mail' };
  } catch (error) {
    return sendFailure(error);
  }
}

function check(
  args: unknown,
  date: Date,
): { mail: SendEmail; raw: Buffer } | (ToolOutcome & { status: 'failed' }) {
  const parsed = SendEmail.safeParse(args);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refused(`${issue?.path.join('.') || 'the arguments'}: ${issue?.message ?? 'invalid'}`);
  }
  const mail = withAsciiAddresses(parsed.data);
  const attachments = mail.attachments.map(({ name, contentBase64, sha256 }) => ({
    name,
    sha256,
    bytes: Buffer.from(contentBase64, 'base64'),
  }));
  for (const { name, bytes, sha256 } of attachments) {
    if (sha256Hex(bytes) !== sha256)
      return refused(`the attachment ${JSON.stringify(name)} is not the approved one`);
  }
  const raw = composeMail({ ...mail, attachments }, { date });
  if (raw.length > MAX_MESSAGE_BYTES) {
    return refused(`the mail has ${raw.length} bytes with its attachments; SES takes ${MAX_MESSAGE_BYTES}`);
  }
  return { mail, raw };
}

function refused(why: string): ToolOutcome & { status: 'failed' } {
  return { status: 'failed', detail: `not sent: ${why}` };
}

function withAsciiAddresses(mail: SendEmail): SendEmail {
  const ascii = (address: string): string => asciiAddress(address) ?? address;
  return { ...mail, from: ascii(mail.from), to: mail.to.map(ascii), cc: mail.cc.map(ascii) };
}

/**
 * The address with its domain in ASCII form (RFC 5890). A domain that would come out as another than the one
 * that was read and approved is refused, such as one with full-width letters.
 */
function asciiAddress(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  // An encoded word is no part of an address, but some readers decode it there.
  if (!/^[\x21-\x7e]+$/.test(local) || local.includes('=?')) return undefined;
  if (/^[A-Za-z0-9._-]+$/.test(domain)) return address;
  const ascii = domainToASCII(domain);
  return ascii !== '' && domainToUnicode(ascii) === domain.toLowerCase() ? `${local}@${ascii}` : undefined;
}
