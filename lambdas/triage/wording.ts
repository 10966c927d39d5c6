import type { ParsedMail } from '#protocol/mail.ts';
import { ownWords } from '#protocol/own-words.ts';
import { linkHosts, READ_LENGTH } from './link-hosts.ts';
import { countPhrases, fold, indexPhrases } from './phrases.ts';
import { ADVERTISER, MACHINE, NO_REPLY, WORDS } from './triage-words.ts';

/** What the words of a mail, and its sender's address, make likely. */
export interface Wording {
  readonly noReply: boolean;
  /** A program's address, or a mail that asks other programs not to answer it. */
  readonly machineSender: boolean;
  readonly promotion: boolean;
  readonly phishing: boolean;
  readonly away: boolean;
  /** A sentence ends with a question mark, in the sender's own words. */
  readonly question: boolean;
  readonly request: boolean;
  /** Strength of what asks for an answer, and of what says that none is wanted. */
  readonly asks: number;
  readonly tells: number;
  /** Orders to a machine that reads along. */
  readonly orders: boolean;
}

const INDEX = {
  asks: indexPhrases(WORDS.asks),
  deadlines: indexPhrases(WORDS.deadlines),
  invitations: indexPhrases(WORDS.invitations),
  noAnswer: indexPhrases(WORDS.noAnswer),
  tells: indexPhrases(WORDS.tells),
  courtesies: indexPhrases(WORDS.courtesies),
  away: indexPhrases(WORDS.away),
  sells: indexPhrases(WORDS.sells),
  sellsPerhaps: indexPhrases(WORDS.sellsPerhaps),
  credentials: indexPhrases(WORDS.credentials),
  money: indexPhrases(WORDS.money),
  pressure: indexPhrases(WORDS.pressure),
  orders: indexPhrases(WORDS.orders),
};

const QUESTION_MARK = /[?？؟⸮](?=[\s"'”»)\]!]|$)|[？؟]/u;

/** Reads the wording of a mail; bounded in time, as only the sender's own first words are looked at. */
export function readWording(mail: ParsedMail): Wording {
  const own = ownWords(mail.text.slice(0, READ_LENGTH)).replace(/https?:\/\/[^\s<>")\]]+/gi, ' ');
  const subject = fold(mail.subject);
  const all = fold(`${mail.subject}\n${own}`);
  const local = (mail.from[0]?.address ?? '').split('@', 1)[0] ?? '';
  const noReply = NO_REPLY.test(local);
  const count = (name: keyof typeof INDEX, text = all): number => countPhrases(text, INDEX[name]);

  const unspaced = WORDS.asksUnspaced.some((phrase) => own.includes(phrase));
  const question = QUESTION_MARK.test(own) || QUESTION_MARK.test(mail.subject);
  const courtesies = count('courtesies');
  const requests = Math.max(0, count('asks') - courtesies) + (unspaced ? 1 : 0);
  const deadline = count('deadlines') > 0;
  const sells = 2 * count('sells') + count('sellsPerhaps') + (ADVERTISER.test(local) ? 2 : 0);
  return {
    noReply,
    machineSender: noReply || MACHINE.test(local) || ADVERTISER.test(local) || mail.autoResponseSuppress,
    promotion: sells >= 4,
    phishing: isPhishing(mail, count),
    away: count('away', subject) > 0 || count('away', all.slice(0, 200)) > 0,
    question,
    request: requests > 0 || deadline,
    asks: (question ? 2 : 0) + 2 * requests + (deadline ? 1 : 0) + count('invitations'),
    tells: 4 * count('noAnswer') + count('tells') + (count('tells', subject) > 0 ? 1 : 0),
    orders: hasOrders(mail),
  };
}

function isPhishing(
  mail: ParsedMail,
  count: (name: 'credentials' | 'money' | 'pressure') => number,
): boolean {
  const credentials = count('credentials');
  const money = count('money');
  const pressure = count('pressure');
  const domain = registrable(mail.from[0]?.address.split('@').at(-1)?.toLowerCase() ?? '');
  const linksElsewhere = linkHosts(mail.text).some((host) => registrable(host) !== domain);
  return (
    (credentials > 0 && (linksElsewhere || pressure > 1 || money > 0)) ||
    (money > 0 && pressure > 0) ||
    money > 2
  );
}

/** The last two labels: enough to tell a bank from its copy, wrong for `co.uk` in the cautious direction only. */
function registrable(host: string): string {
  return host.split('.').slice(-2).join('.');
}

function hasOrders(mail: ParsedMail): boolean {
  const text = `${mail.subject}\n${mail.text}`;
  const compact = text.replace(/\p{Cf}+/gu, '').toLowerCase();
  if (WORDS.ordersUnspaced.some((phrase) => compact.includes(phrase.toLowerCase()))) return true;
  return countPhrases(fold(text), INDEX.orders) > 0;
}
