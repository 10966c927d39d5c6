import { afterAll, describe, expect, it } from 'vitest';
import { createMailParser, type MailParserLimits } from '#adapters/mail-parser.ts';
import { rawMail } from './raw-mail.ts';

const FROM = 'From: ann@a.example';
const parser = createMailParser();
afterAll(() => parser.close());

/** Bytes in a buffer of their own, as a source hands them out. */
function own(...lines: readonly (string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(rawMail(...lines));
}

const ordinary = (): Uint8Array => own(FROM, 'Subject: hi', '', 'Hello');

describe('the mail parser', () => {
  it('reads mails one after the other, also when they are handed in at once', async () => {
    const subjects = Array.from({ length: 12 }, (_, index) => `mail ${index}`);
    const mails = await Promise.all(
      subjects.map((subject) => parser.parse(own(FROM, `Subject: ${subject}`, '', 'x'))),
    );
    expect(mails.map((mail) => mail.subject)).toEqual(subjects);
  });

  it('takes the bytes over without a copy', async () => {
    const raw = ordinary();
    await parser.parse(raw);
    expect(raw.byteLength).toBe(0);
  });

  it('leaves a buffer alone of which the mail is only a part', async () => {
    const whole = Buffer.concat([
      Buffer.from('left'),
      rawMail(FROM, 'Subject: hi', '', 'Hello'),
      Buffer.from('right'),
    ]);
    const mail = await parser.parse(whole.subarray(4, -5));
    expect(mail).toMatchObject({ subject: 'hi', text: 'Hello' });
    expect(whole.subarray(0, 4).toString()).toBe('left');
  });

  // FAILURES 4
  it.each([
    ['0 bytes', () => new Uint8Array(), 'it is empty'],
    [
      'binary junk',
      () => Uint8Array.from({ length: 200_000 }, (_, index) => ((index * 7919) % 251) | 0x80),
      'does not begin with headers',
    ],
    [
      'a text that is no mail',
      () => own('Dear Sir or Madam', 'this is no mail at all'),
      'does not begin with headers',
    ],
    ['50,000 parts', () => manyParts(50_000), 'larger than|more than 1000 parts'],
    ['1,500 small parts', () => manyParts(1500), 'more than 1000 parts'],
    ['a depth of 1,000', nested, 'nested more than 100 deep'],
    [
      '5 MB of one header',
      () => own(FROM, `X-A: ${'a'.repeat(5_000_000)}`, '', 'x'),
      'headers are larger than 1024 KB',
    ],
    [
      '5 MB of headers',
      () => own(FROM, `X-A: ${'a'.repeat(43)}\r\n`.repeat(100_000), '', 'x'),
      'headers are larger',
    ],
    [
      '200,000 references',
      () => own(FROM, `References: ${'<aaaaaa@b.example>\r\n '.repeat(200_000)}`, '', 'x'),
      'headers are larger',
    ],
  ])('refuses %s, and says why', async (_what, raw, reason) => {
    const begun = performance.now();
    await expect(parser.parse(raw())).rejects.toMatchObject({
      code: 'MAIL_UNREADABLE',
      reason: expect.stringMatching(new RegExp(reason)) as string,
    });
    expect(performance.now() - begun).toBeLessThan(15_000);
  });

  it('reads a mail that has nothing but headers', async () => {
    expect(await parser.parse(own(FROM, 'Subject: hi'))).toMatchObject({ subject: 'hi', text: '' });
  });

  it.each(['Subject', 'From'])('reads 50,000 encoded words in %s in bounded time', async (header) => {
    const words = '=?utf-8?q?=C3=A9?=\r\n '.repeat(45_000);
    const raw =
      header === 'From'
        ? own(`From: ${words}<ann@a.example>`, '', 'x')
        : own(FROM, `Subject: ${words}`, '', 'x');
    const begun = performance.now();
    const mail = await parser.parse(raw);
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(header === 'From' ? mail.from[0]?.name : mail.subject).toMatch(/^é+$/);
  });

  it('reads the text beside 40 MB of attachment', async () => {
    const line = `${'A'.repeat(76)}\r\n`;
    const attachment = line.repeat(Math.floor((39 * 1024 * 1024) / line.length));
    const head = ['Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'Here it is.', '--b'];
    const file = [
      'Content-Type: audio/wav; name=a.wav',
      'Content-Transfer-Encoding: base64',
      '',
      attachment,
      '--b--',
    ];
    const mail = await parser.parse(own(FROM, ...head, ...file));
    expect(mail).toMatchObject({ text: 'Here it is.', attachments: [{ name: 'a.wav' }], defects: [] });
    expect(mail.attachments[0]?.sizeBytes).toBe((attachment.length / line.length) * 57);
  });
});

describe('a mail that hangs or exhausts the parser', () => {
  it.each<[string, MailParserLimits, RegExp, number]>([
    ['takes too long', { timeoutMs: 700 }, /longer than 0.7 s/, 3_000_000],
    ['takes too much memory', { memoryMb: 24 }, /too much memory/, 3_000_000],
  ])('%s: it alone fails, and the next one is read', async (_what, limits, reason, lines) => {
    const limited = createMailParser(limits);
    try {
      const [bad, good] = await Promise.allSettled([
        limited.parse(own(FROM, '', 'a\r\n'.repeat(lines))),
        limited.parse(ordinary()),
      ]);
      expect(bad).toMatchObject({
        status: 'rejected',
        reason: { code: 'MAIL_UNREADABLE', reason: expect.stringMatching(reason) as string },
      });
      expect(good).toMatchObject({ status: 'fulfilled', value: { subject: 'hi' } });
    } finally {
      await limited.close();
    }
  });

  it('starts a new thread after it was closed', async () => {
    const closing = createMailParser();
    await closing.parse(ordinary());
    await closing.close();
    expect(await closing.parse(ordinary())).toMatchObject({ subject: 'hi' });
    await closing.close();
  });
});

function manyParts(count: number): Uint8Array {
  const part = '--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n';
  return own(FROM, 'Content-Type: multipart/mixed; boundary=b', '', `${part.repeat(count)}--b--`);
}

function nested(): Uint8Array {
  const levels = Array.from({ length: 1000 }, (_, depth) => [
    `Content-Type: multipart/mixed; boundary=b${depth}`,
    '',
    `--b${depth}`,
  ]);
  return own(FROM, ...levels.flat(), '', 'x');
}
