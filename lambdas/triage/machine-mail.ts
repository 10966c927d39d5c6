import type { Delivery, ParsedMail } from '#protocol/mail.ts';

/** The ways in which a mail says by its structure that a machine sent it. */
export type MachineReason = keyof typeof MACHINE_WORDS;

/** What each of them means for the person. */
export const MACHINE_WORDS = {
  dsn: { verdict: 'notify', words: 'A mail server reports on the delivery of a mail of yours.' },
  arf: { verdict: 'notify', words: 'A mail provider reports that somebody marked a mail of yours as spam.' },
  'null-return-path': {
    verdict: 'ignore',
    words: 'It has the empty return path of automatic mail, which must not be answered.',
  },
  'read-receipt': { verdict: 'ignore', words: 'It is a read receipt.' },
  'auto-submitted': { verdict: 'ignore', words: 'A program sent it automatically and says so.' },
  list: { verdict: 'ignore', words: 'It was sent to a mailing list or in bulk.' },
} as const satisfies Record<string, { verdict: 'notify' | 'ignore'; words: string }>;

/**
 * Why this is mail that must never be answered, by envelope and headers alone: reports (RFC 3464, RFC 5965,
 * RFC 8098), the null return path (RFC 3834 §2), `Auto-Submitted` (RFC 3834 §5), `List-*` (RFC 2369, RFC 2919)
 * and `Precedence`.
 */
export function machineReason(mail: ParsedMail, delivery: Delivery): MachineReason | undefined {
  const precedence = mail.precedence?.trim().toLowerCase();
  const nullReturnPath = isNullPath(delivery.envelopeFrom);
  if (mail.report === 'delivery-status') return 'dsn';
  if (mail.report === 'feedback-report') return 'arf';
  if (nullReturnPath && mail.from.some(({ address }) => /^(mailer-daemon|postmaster)@/i.test(address)))
    return 'dsn';
  if (nullReturnPath) return 'null-return-path';
  if (mail.report === 'disposition-notification') return 'read-receipt';
  if (isAutomatic(mail.autoSubmitted) || precedence === 'auto_reply') return 'auto-submitted';
  if (mail.list || precedence === 'bulk' || precedence === 'list' || precedence === 'junk') return 'list';
  return undefined;
}

function isNullPath(envelopeFrom: string): boolean {
  const bare = envelopeFrom.trim();
  return bare === '' || bare === '<>';
}

/** Anything but `no` is automatic; parameters and comments after the keyword do not count. */
function isAutomatic(autoSubmitted: string | undefined): boolean {
  if (autoSubmitted === undefined) return false;
  const keyword = autoSubmitted.replace(/\(.*?\)/g, '').split(';', 1)[0] ?? '';
  return keyword.trim().toLowerCase() !== 'no';
}
