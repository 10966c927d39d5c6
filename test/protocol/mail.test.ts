import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerReferences, answerSubject, MailRecord, senderTrust, Verdict } from '#protocol/mail.ts';
import type { Authentication } from '#protocol/mail.ts';
import { sampleMail } from './samples.ts';

const passed: Authentication = { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' };
const ann = { address: 'ann@x.example' };

describe("a sender's trust", () => {
  it('is by the verdicts: DMARC, and one of SPF and DKIM', () => {
    const verdict = fc.constantFrom(...Verdict.options);
    fc.assert(
      fc.property(verdict, verdict, verdict, (spf, dkim, dmarc) => {
        const proved = dmarc === 'PASS' && (spf === 'PASS' || dkim === 'PASS');
        const expected = dmarc === 'FAIL' ? 'failed' : proved ? 'authenticated' : 'unproved';
        expect(senderTrust([ann], { ...passed, spf, dkim, dmarc })).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('is none without exactly one sender, whatever the verdicts', () => {
    expect(senderTrust([], passed)).toBe('ambiguous');
    expect(senderTrust([ann, ann], passed)).toBe('ambiguous');
    expect(senderTrust([ann, { address: 'bo@x.example' }], { ...passed, dmarc: 'FAIL' })).toBe('ambiguous');
  });
});

describe('the references of an answer', () => {
  it('are those of the mail and the mail itself, each once', () => {
    expect(answerReferences({ messageId: '<3>', references: ['<1>', '<2>', '<1>'] })).toEqual([
      '<1>',
      '<2>',
      '<3>',
    ]);
    expect(answerReferences({ messageId: '<1>', references: ['<1>'] })).toEqual(['<1>']);
    expect(answerReferences({ references: [] })).toEqual([]);
  });

  it('keep the first and the latest when there are more than fifty', () => {
    const references = Array.from({ length: 80 }, (_, index) => `<${index}@x>`);
    const kept = answerReferences({ messageId: '<me@x>', references });
    expect(kept).toHaveLength(50);
    expect([kept[0], kept[1], kept.at(-1)]).toEqual(['<0@x>', '<32@x>', '<me@x>']);
  });
});

describe('the subject of an answer', () => {
  it.each([
    ['Lunch?', 'Re: Lunch?'],
    ['Re: Lunch?', 'Re: Lunch?'],
    ['RE: re : Aw: SV:Antw: Lunch?', 'Re: Lunch?'],
    ['Re[2]: Lunch?', 'Re: Lunch?'],
    ['Regarding lunch', 'Re: Regarding lunch'],
    ['Fwd: Lunch?', 'Re: Fwd: Lunch?'],
    ['', 'Re: (no subject)'],
    ['Re:', 'Re: (no subject)'],
  ])('to %j is %j', (subject, answer) => {
    expect(answerSubject(subject)).toBe(answer);
  });

  it('has Re: once, however often it is answered', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (subject) => {
        expect(answerSubject(answerSubject(subject))).toBe(answerSubject(subject));
      }),
    );
  });

  it('of many Re: is found in little time', () => {
    const started = performance.now();
    answerSubject(`${'re '.repeat(40_000)}x`);
    answerSubject(`${' '.repeat(40_000)}x`);
    answerSubject('re:'.repeat(40_000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('the record of a mail', () => {
  it('is a strict object', () => {
    expect(MailRecord.safeParse(sampleMail()).success).toBe(true);
    expect(MailRecord.safeParse({ ...sampleMail(), body: 'x' }).success).toBe(false);
    expect(MailRecord.safeParse({ ...sampleMail(), receivedAt: 'yesterday' }).success).toBe(false);
  });
});
