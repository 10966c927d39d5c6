import { z } from 'zod';
import { canonicalJson, sha256Hex } from './canonical.ts';
import { Sha256 } from './ids.ts';
import { VaultPath } from './vault-path.ts';

/** A plain address for the envelope and the headers: no name, no comment, no line break, nothing invisible. */
export const PlainAddress = z
  .string()
  .max(320)
  .regex(/^[^\s<>(),;:"\\@[\]\p{C}]+@[^\s<>(),;:"\\@[\]\p{C}]+$/u, 'not a plain mail address');

/** One header line's worth of text. A line break here would be a new header. */
export const HeaderText = z
  .string()
  .max(998)
  // eslint-disable-next-line no-control-regex -- control characters are exactly what must not pass
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'control characters and line breaks are not allowed')
  .refine((text) => text.isWellFormed(), 'half a character (a lone surrogate) is not allowed');

const MessageIdText = HeaderText.regex(/^<[^<>\s]+>$/, 'not a message id');

/** A file of the vault that goes along; its hash is part of what is approved. */
export const ActionAttachment = z.strictObject({
  path: VaultPath,
  sha256: Sha256,
  sizeBytes: z.int().nonnegative(),
});
export type ActionAttachment = z.infer<typeof ActionAttachment>;

const mailFields = {
  from: PlainAddress,
  to: z.array(PlainAddress).min(1).max(50),
  cc: z.array(PlainAddress).max(50),
  subject: HeaderText,
  /** The body, line ends `\n`, exactly as it will be read. */
  text: z
    .string()
    .min(1)
    .max(1_000_000)
    .refine((text) => text.isWellFormed(), 'half a character (a lone surrogate) is not allowed'),
  attachments: z.array(ActionAttachment).max(20),
};

const EmailReply = z.strictObject({
  kind: z.literal('email.reply'),
  ...mailFields,
  inReplyTo: MessageIdText.optional(),
  references: z.array(MessageIdText).max(50),
});
const EmailSend = z.strictObject({ kind: z.literal('email.send'), ...mailFields });

/** One outward act, complete: everything that will happen stands in it and nothing else will. */
export const Action = z.discriminatedUnion('kind', [EmailReply, EmailSend]);
export type Action = z.infer<typeof Action>;

/**
 * The digest that a person approves: SHA-256 over the canonical JSON of the ordered actions.
 * Any change of any field of any action gives another digest.
 */
export function actionsDigest(actions: readonly Action[]): string {
  return sha256Hex(canonicalJson({ purpose: 'ai-employee/actions/v1', actions }));
}
