import { PlainAddress } from '#protocol/action.ts';
import { senderTrust } from '#protocol/mail.ts';
import type { Delivery, ParsedMail } from '#protocol/mail.ts';
import { machineReason, MACHINE_WORDS } from './machine-mail.ts';
import { readWording } from './wording.ts';
import type { Wording } from './wording.ts';

/** What is to be done with a mail. */
export type Verdict = 'respond' | 'notify' | 'ignore' | 'quarantine';

/** A decision with its reason as a stable code and in one sentence for the person. */
export interface Classification {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly words: string;
  /** Codes of what the person should know before trusting the mail. */
  readonly warnings: readonly string[];
}

/** What is known beside the mail itself. */
export interface TriageContext {
  /** The owner's and the assistant's own addresses, lower case. */
  readonly ownAddresses: readonly string[];
  /** Domains of senders whose mail was proved theirs before, lower case. */
  readonly knownDomains: ReadonlySet<string>;
  /** The mail answers one that is in the ledger. */
  readonly inThread: boolean;
  /** Different mails of this sender in this thread within a day. */
  readonly threadMails: number;
}

/** More mails than this of one sender in one thread and one day are two machines talking (RFC 3834 §2). */
const THREAD_CAP = 10;

type Decision = Pick<Classification, 'verdict' | 'reason' | 'words'>;

/**
 * Decides what a mail is. Structure first (envelope, SES's verdicts, headers), wording second; machines are
 * never answered whatever they write (RFC 3834). Nothing in the mail can change who a reply goes to.
 */
export function classify(mail: ParsedMail, delivery: Delivery, context: TriageContext): Classification {
  const wording = readWording(mail);
  const decision =
    beforeTrust(mail, delivery, context) ??
    distrusted(mail, delivery, context) ??
    machine(mail, delivery, context, wording) ??
    misdirected(mail, delivery, context) ??
    byWording(context, wording);
  return { ...decision, warnings: warningsOf(mail, delivery, decision.verdict, wording) };
}

/** Quarantine without a look at the mail: it holds a virus, or it cannot be read. */
export function withheldUnread(reason: 'virus' | 'unparseable', detail?: string): Classification {
  const words =
    reason === 'virus'
      ? 'The virus scan of the mail service failed it, so it was not opened.'
      : `It could not be read as a mail${detail ? ` (${detail})` : ''}.`;
  return { verdict: 'quarantine', reason, words, warnings: [] };
}

function beforeTrust(mail: ParsedMail, delivery: Delivery, context: TriageContext): Decision | undefined {
  const { authentication } = delivery;
  if (authentication.virus === 'FAIL') return withheldUnread('virus');
  const [first] = mail.from;
  if (mail.defects.length > 0 && mail.from.every(({ address }) => !PlainAddress.safeParse(address).success)) {
    return withheldUnread('unparseable', 'no sender can be made out');
  }
  const isOwn = mail.from.length === 1 && context.ownAddresses.includes(first?.address.toLowerCase() ?? '');
  if (isOwn && authentication.dmarc !== 'FAIL') {
    // The owner writing to the assistant is no loop, and nothing to lose either.
    const toItself = delivery.envelopeTo.some((to) => to.toLowerCase() === first?.address.toLowerCase());
    if (!toItself)
      return say(
        'notify',
        'own-address',
        'You sent it yourself; no answer is drafted to your own addresses.',
      );
    return say(
      'ignore',
      'own-address',
      'It came from one of your own addresses; answering it would start a loop.',
    );
  }
  const reason = machineReason(mail, delivery);
  return reason && say(MACHINE_WORDS[reason].verdict, reason, MACHINE_WORDS[reason].words);
}

function distrusted(mail: ParsedMail, delivery: Delivery, context: TriageContext): Decision | undefined {
  if (mail.from.length !== 1 || !PlainAddress.safeParse(mail.from[0]?.address).success) {
    return say(
      'quarantine',
      'ambiguous-sender',
      'It does not say unmistakably who sent it, so no answer can be addressed.',
    );
  }
  const { dmarc, dmarcPolicy, spam } = delivery.authentication;
  const domain = domainOf(mail.from[0]?.address ?? '');
  const claimsKnown =
    context.knownDomains.has(domain) || context.ownAddresses.some((address) => domainOf(address) === domain);
  // An absent policy counts as a strict one: SES names it with each failure.
  if (dmarc === 'FAIL' && (dmarcPolicy !== 'none' || claimsKnown)) {
    return say(
      'quarantine',
      'dmarc-fail',
      `It says it is from ${domain}, and ${domain} says it is not (DMARC failed).`,
    );
  }
  if (spam === 'FAIL') return say('ignore', 'spam', 'The spam filter of the mail service failed it.');
  return undefined;
}

function machine(
  mail: ParsedMail,
  delivery: Delivery,
  context: TriageContext,
  wording: Wording,
): Decision | undefined {
  if (mail.calendarMethod !== undefined) {
    return say(
      'notify',
      'calendar',
      'It is a calendar invitation or its answer; your calendar is the place to answer it.',
    );
  }
  // Between people who do business such words are honest; then they are only a warning.
  const isTrusted = context.inThread && senderTrust(mail.from, delivery.authentication) === 'authenticated';
  if (wording.phishing && !isTrusted) return phishing();
  if (!wording.machineSender) return undefined;
  if (wording.promotion) return promotion();
  if (wording.noReply)
    return say('notify', 'no-reply', 'It is a notice from an address that reads no answers.');
  return say('notify', 'machine', 'A program sent this notice; nobody there reads an answer.');
}

function misdirected(mail: ParsedMail, delivery: Delivery, context: TriageContext): Decision | undefined {
  const ours = new Set([
    ...context.ownAddresses,
    ...delivery.envelopeTo.map((address) => address.toLowerCase()),
  ]);
  const isOurs = ({ address }: { readonly address: string }): boolean => ours.has(address.toLowerCase());
  if (mail.to.some(isOurs)) return undefined;
  if (mail.cc.some(isOurs)) {
    return say('notify', 'cc-only', 'You are only in copy; the mail is addressed to others.');
  }
  return say('notify', 'bcc-only', 'You got it as a blind copy; an answer would give that away.');
}

function byWording(context: TriageContext, wording: Wording): Decision {
  if (wording.promotion && !context.inThread) return promotion();
  if (wording.away)
    return say('notify', 'auto-reply', 'It reads like an automatic answer of somebody who is away.');
  if (context.threadMails > THREAD_CAP) {
    return say(
      'notify',
      'loop-cap',
      'Too many mails went back and forth in this thread today; no more are drafted.',
    );
  }
  if (wording.asks > 0 && wording.asks >= wording.tells) {
    if (wording.question) return say('respond', 'question', 'It asks you something.');
    if (wording.request) return say('respond', 'request', 'It asks you to do something.');
    return say('respond', 'personal', 'Somebody wrote to you personally and will expect a word.');
  }
  return say('notify', 'fyi', 'It tells you something and asks for nothing.');
}

function warningsOf(mail: ParsedMail, delivery: Delivery, verdict: Verdict, wording: Wording): string[] {
  if (verdict === 'quarantine' || verdict === 'ignore') return wording.orders ? ['injection-suspected'] : [];
  const trust = senderTrust(mail.from, delivery.authentication);
  const from = mail.from[0]?.address.toLowerCase();
  const warnings: [string, boolean][] = [
    ['injection-suspected', wording.orders || (mail.hiddenText && verdict === 'respond')],
    ['reply-to-differs', mail.replyTo.some(({ address }) => address.toLowerCase() !== from)],
    ['sender-failed', trust === 'failed'],
    ['sender-unproved', trust === 'unproved'],
    ['phishing-suspected', wording.phishing],
    ['damaged', mail.defects.length > 0],
  ];
  return warnings.filter(([, holds]) => holds).map(([code]) => code);
}

function phishing(): Decision {
  return say('ignore', 'phishing-suspected', 'It asks for secrets or money in the way that fraud does.');
}

function promotion(): Decision {
  return say('ignore', 'promotion', 'It advertises something.');
}

function say(verdict: Verdict, reason: string, words: string): Decision {
  return { verdict, reason, words };
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
