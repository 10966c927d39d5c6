import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { addressesIn, domainOf, headerOf, type MailHeader } from './mail-headers.ts';

/** As SES says it in its notification. */
export type VerdictStatus = 'PASS' | 'FAIL' | 'GRAY' | 'PROCESSING_FAILED';

/** All verdicts of one mail. `dmarcPolicy` comes only with a DMARC failure, as with SES. */
export interface Verdicts {
  spf: VerdictStatus;
  dkim: VerdictStatus;
  dmarc: VerdictStatus;
  spam: VerdictStatus;
  virus: VerdictStatus;
  dmarcPolicy?: 'NONE' | 'QUARANTINE' | 'REJECT';
}

const Status = z.enum(['PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED']);

const Domain = z.strictObject({
  spf: Status.optional(),
  dkim: Status.optional(),
  dmarc: Status.optional(),
  spam: Status.optional(),
  /** What the domain's DMARC record asks for. */
  dmarcPolicy: z.enum(['none', 'quarantine', 'reject']).optional(),
});

const Table = z.object({ domains: z.record(z.string(), Domain).default({}) });

/** What is known about sending domains, in place of DNS. */
export type VerdictTable = z.infer<typeof Table>;

/** A table of domains that cannot be read. */
export class VerdictTableInvalid extends Error {
  static readonly code = 'VERDICT_TABLE_INVALID';

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
    this.name = 'VerdictTableInvalid';
  }
}

/** Reads a table of domains. A file that is not there is an empty table. @throws VerdictTableInvalid */
export function readVerdictTable(file: string): VerdictTable {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { domains: {} };
    throw new VerdictTableInvalid(file, 'cannot be read', { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new VerdictTableInvalid(file, 'is not JSON', { cause: error });
  }
  const parsed = Table.safeParse(value);
  if (!parsed.success) throw new VerdictTableInvalid(file, z.prettifyError(parsed.error));
  return parsed.data;
}

/**
 * The verdicts that SES would give, by rules that need no DNS. Nothing in the mail can raise them: its `From`
 * only says which domain it claims.
 *
 * - `spf` is that of the envelope sender's domain (of the `From` domain if the envelope sender is empty).
 * - `dkim` and `dmarc` are those of the `From` domain.
 * - A domain that is not in the table gets PASS where envelope and `From` are aligned, else GRAY.
 * - Not aligned, and the `From` domain has a `dmarcPolicy`: `dkim` GRAY, `dmarc` FAIL with that policy, and
 *   `spf` FAIL unless the table knows the envelope's domain.
 * - No `From`, or several fields or addresses in it: GRAY, but for `spf`.
 * - `spam` is PASS unless the table says otherwise; `virus` is FAIL for the EICAR test file, plain or Base64.
 *   Both are GRAY if the receipt rule does not scan.
 *
 * Domains are looked up exactly. Aligned means the same domain, or one below the other (RFC 7489, relaxed).
 */
export function verdictsFor(
  mail: { envelopeFrom: string; headers: readonly MailHeader[]; raw: Buffer; scan: boolean },
  table: VerdictTable,
): Verdicts {
  const fields = mail.headers.filter(({ name }) => name.toLowerCase() === 'from');
  const [from, ...others] = addressesIn(headerOf(mail.headers, 'From') ?? '');
  const fromDomain = fields.length === 1 && from !== undefined && others.length === 0 ? domainOf(from) : '';
  const envelopeDomain = domainOf(mail.envelopeFrom) || fromDomain;
  const claimed = entryOf(table, fromDomain);
  const sending = entryOf(table, envelopeDomain);
  const aligned = fromDomain !== '' && isAligned(fromDomain, envelopeDomain);
  const forged = fromDomain !== '' && !aligned && claimed?.dmarcPolicy !== undefined;
  const byDefault = aligned ? 'PASS' : 'GRAY';
  const dmarc = forged ? 'FAIL' : (claimed?.dmarc ?? byDefault);
  return {
    spf: sending?.spf ?? (forged ? 'FAIL' : byDefault),
    dkim: forged ? 'GRAY' : (claimed?.dkim ?? byDefault),
    dmarc,
    ...(dmarc === 'FAIL' ? { dmarcPolicy: POLICY[claimed?.dmarcPolicy ?? 'none'] } : {}),
    spam: mail.scan ? (sending?.spam ?? 'PASS') : 'GRAY',
    virus: mail.scan ? virusVerdict(mail.raw) : 'GRAY',
  };
}

const POLICY = { none: 'NONE', quarantine: 'QUARANTINE', reject: 'REJECT' } as const;

function entryOf(table: VerdictTable, domain: string): VerdictTable['domains'][string] | undefined {
  return Object.hasOwn(table.domains, domain) ? table.domains[domain] : undefined;
}

function isAligned(left: string, right: string): boolean {
  // A bare top-level domain is nobody's parent here.
  const isParent = (parent: string, child: string): boolean =>
    parent.includes('.') && child.endsWith(`.${parent}`);
  return left === right || isParent(left, right) || isParent(right, left);
}

// In two pieces, so that no scanner takes this file for the test virus: https://www.eicar.org
const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('');
const EICAR_BASE64 = Buffer.from(EICAR).toString('base64').slice(0, 40);

function virusVerdict(raw: Buffer): VerdictStatus {
  return raw.includes(EICAR) || raw.includes(EICAR_BASE64) ? 'FAIL' : 'PASS';
}
