import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

/** The folder with the sample mails. */
export const EXAMPLE_MAILS = path.resolve(import.meta.dirname, '../../examples/mail');

/** Where one sample mail has to end; the fields are explained in `examples/README.md`. */
export const ExpectedMail = z.strictObject({
  file: z.string().endsWith('.eml'),
  about: z.string().min(1),
  envelopeFrom: z.string(),
  envelopeTo: z.array(z.string()).min(1),
  verdict: z.enum(['respond', 'notify', 'ignore', 'quarantine']),
  reason: z.string().regex(/^[a-z]+(-[a-z]+)*$/),
  state: z.enum(['pending_approval', 'needs_action', 'ignored', 'quarantined']),
  folder: z.enum(['Pending_Approval', 'Needs_Action', 'Needs_Attention']).nullable(),
  draftTo: z.array(z.string()),
  subject: z.string().nullable(),
  template: z.string().nullable(),
  warnings: z.array(z.string()),
  parsed: z
    .strictObject({
      from: z.string(),
      name: z.string(),
      subject: z.string(),
      messageId: z.string(),
      attachments: z.array(z.string()),
    })
    .nullable(),
});
export type ExpectedMail = z.infer<typeof ExpectedMail>;

/** Reads `examples/mail/expected.json`. */
export async function readExpectedMails(): Promise<ExpectedMail[]> {
  const text = await readFile(path.join(EXAMPLE_MAILS, 'expected.json'), 'utf8');
  return z.array(ExpectedMail).parse(JSON.parse(text));
}
