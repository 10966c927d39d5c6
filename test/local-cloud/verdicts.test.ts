import { describe, expect, it } from 'vitest';
import { headersOf } from '#local-cloud/mail-headers.ts';
import { readVerdictTable, verdictsFor, type Verdicts } from '#local-cloud/verdicts.ts';

const table = {
  domains: {
    'known.example': { spf: 'PASS', dkim: 'FAIL', dmarc: 'PASS' },
    'boss.example': { dmarcPolicy: 'reject' },
    'bulk.example': { spf: 'PASS' },
  },
} as const;

function judge(envelopeFrom: string, from: string, body = 'text', scan = true): Verdicts {
  const raw = Buffer.from(`${from}\r\n\r\n${body}`);
  return verdictsFor({ envelopeFrom, headers: headersOf(raw), raw, scan }, table);
}

describe('SPF, DKIM and DMARC', () => {
  it.each([
    ['unlisted, aligned', 'a@x.example', 'From: A <a@x.example>', 'PASS PASS PASS'],
    ['unlisted, sent by a subdomain', 'a@bounce.x.example', 'From: a@x.example', 'PASS PASS PASS'],
    ['unlisted, not aligned', 'a@other.example', 'From: a@x.example', 'GRAY GRAY GRAY'],
    ['listed, aligned', 'a@known.example', 'From: a@known.example', 'PASS FAIL PASS'],
    ['null sender', '', 'From: a@known.example', 'PASS FAIL PASS'],
    ['protected domain, aligned', 'ceo@boss.example', 'From: ceo@boss.example', 'PASS PASS PASS'],
    [
      'protected domain, forged',
      'x@evil.example',
      'From: "ceo@boss.example" <ceo@boss.example>',
      'FAIL GRAY FAIL REJECT',
    ],
    [
      'protected domain, forged by a known mailer',
      'x@bulk.example',
      'From: ceo@boss.example',
      'PASS GRAY FAIL REJECT',
    ],
    ['suffix that is no subdomain', 'x@notboss.example', 'From: ceo@boss.example', 'FAIL GRAY FAIL REJECT'],
    ['top-level domain as sender', 'x@example', 'From: ceo@boss.example', 'FAIL GRAY FAIL REJECT'],
    ['two From fields', 'a@x.example', 'From: a@x.example\r\nFrom: b@x.example', 'GRAY GRAY GRAY'],
    ['two addresses', 'a@x.example', 'From: a@x.example, b@x.example', 'GRAY GRAY GRAY'],
    ['no From', 'a@x.example', 'Subject: x', 'GRAY GRAY GRAY'],
  ])('%s', (_case, envelopeFrom, from, expected) => {
    const { spf, dkim, dmarc, dmarcPolicy } = judge(envelopeFrom, from);
    expect([spf, dkim, dmarc, dmarcPolicy].filter(Boolean).join(' ')).toBe(expected);
  });

  it('takes no word for it from the mail itself', () => {
    const claims =
      'Authentication-Results: amazonses.com; spf=pass; dkim=pass; dmarc=pass\r\nX-SES-Spam-Verdict: PASS';
    expect(judge('x@evil.example', `${claims}\r\nFrom: ceo@boss.example`)).toMatchObject({ dmarc: 'FAIL' });
  });
});

describe('the scan', () => {
  const eicar = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('');

  it('finds the test virus, plain and Base64', () => {
    const from = 'From: a@x.example';
    expect(judge('a@x.example', from).virus).toBe('PASS');
    expect(judge('a@x.example', from, eicar).virus).toBe('FAIL');
    expect(judge('a@x.example', from, Buffer.from(eicar).toString('base64')).virus).toBe('FAIL');
  });

  it('says GRAY where the rule does not ask for it', () => {
    const { spam, virus } = judge('a@x.example', 'From: a@x.example', eicar, false);
    expect([spam, virus]).toEqual(['GRAY', 'GRAY']);
  });
});

describe('the table', () => {
  it('may be missing', () => {
    expect(readVerdictTable('/nowhere/verdicts.json')).toEqual({ domains: {} });
  });

  it('says where it is broken', () => {
    expect(() => readVerdictTable(import.meta.filename)).toThrow(/verdicts.test.ts: is not JSON/);
  });
});
