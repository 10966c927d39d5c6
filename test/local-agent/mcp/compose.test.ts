import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { composeMail, type MailToCompose } from '#local-agent/mcp/compose.ts';

const at = { date: new Date('2026-11-21T08:00:00.000Z'), messageId: '<m-1@example.com>' };

function mail(fields: Partial<MailToCompose> = {}): MailToCompose {
  const from = 'office@example.com';
  return {
    from,
    to: ['bo@example.org'],
    cc: [],
    subject: 'Re: Lunch',
    text: 'Hi\n',
    references: [],
    attachments: [],
    ...fields,
  };
}

function headerLines(raw: Buffer): string[] {
  return raw.toString('latin1').split('\r\n\r\n')[0]?.split('\r\n') ?? [];
}

describe('a composed mail', () => {
  it('is written as a person would expect to read it', () => {
    const raw = composeMail(
      mail({
        cc: ['ann@example.org'],
        text: 'Dear Bo,\n\nyes.\n',
        inReplyTo: '<2@x>',
        references: ['<1@x>', '<2@x>'],
      }),
      at,
    );
    expect(raw.toString()).toBe(
      [
        'From: office@example.com',
        'To: bo@example.org',
        'Cc: ann@example.org',
        'Subject: Re: Lunch',
        'In-Reply-To: <2@x>',
        'References: <1@x> <2@x>',
        'Date: Sat, 21 Nov 2026 08:00:00 +0000',
        'Message-ID: <m-1@example.com>',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'Dear Bo,=0A=',
        '=0A=',
        'yes.=0A=',
        '',
      ].join('\r\n'),
    );
  });

  it('has a message id of its own at the domain of the sender', () => {
    const id = (): string | undefined =>
      headerLines(composeMail(mail(), { date: at.date })).find((line) => line.startsWith('Message-ID:'));
    expect(id()).toMatch(/^Message-ID: <[0-9a-f-]{36}@example\.com>$/);
    expect(id()).not.toBe(id());
  });

  it('names no program, no hidden recipient, and is not marked as automatic', () => {
    const names = headerLines(composeMail(mail(), at)).map((line) => line.split(':')[0]?.toLowerCase());
    expect(names.filter((name) => /^(x-|bcc|auto|user-agent|reply-to)/.test(name ?? ''))).toEqual([]);
  });

  it.each([
    ['spaces at line ends', 'a  \n\tb\t\n \n'],
    ['a very long line', `${'word '.repeat(500)}\n`],
    ['a long line without a space', 'x'.repeat(5000)],
    ['dots at line starts', '.\n..\n.x\n'],
    ['From at line starts', 'From me\nFrom: you\n>From\n'],
    ['From after a soft break', `${'y'.repeat(73)}From me`],
    ['a dot after a soft break', `${'y'.repeat(73)}.hidden`],
    ['what looks like encoding', '=3D =0A =\n=?utf-8?q?x?=\n'],
    ['what looks like a boundary', '--\n--=_x\n-- \nSignature'],
    ['emoji and Arabic', 'مرحبا 😀👩‍👩‍👧 café'],
    ['text in another script', '日本語のテキスト。\n'.repeat(40)],
    ['control characters', '\u0001\u0007\u000b\u000c\u001b[31m\u007f\u0085\u2028'],
    ['lone CR and CR LF', 'a\rb\r\nc\n\rd\r'],
    ['empty lines at the end', 'a\n\n\n'],
    ['no line end at the end', 'a'],
    ['a byte order mark', '\ufeffa\n'],
  ])('keeps %s to the byte, alone and beside an attachment', async (_name, text) => {
    for (const attachments of [[], [{ name: 'a.txt', bytes: Buffer.from('file\n') }]]) {
      const raw = composeMail(mail({ text, attachments }), at);
      expect(decodedText(raw)).toEqual(Buffer.from(text));
      if (!text.startsWith('\ufeff')) expect((await PostalMime.parse(raw)).text).toBe(text);
    }
  });

  it('is ASCII in lines of at most 78 characters, ended by CRLF, that no relay has to touch', () => {
    fc.assert(
      fc.property(texts(), subjects(), (text, subject) => {
        const file = { name: `${subject}.txt`, bytes: Buffer.from(text) };
        for (const attachments of [[], [file]]) {
          const lines = composeMail(mail({ text, subject, attachments }), at)
            .toString('latin1')
            .split('\r\n');
          const long = (line: string): boolean => line.length > (line.startsWith(' filename') ? 90 : 78);
          expect(lines.filter((line) => long(line) || /[^\x20-\x7e\t]|^\.|^From |[ \t]$/.test(line))).toEqual(
            [],
          );
        }
      }),
    );
  });

  it('is parsed into what was given', async () => {
    await fc.assert(
      fc.asyncProperty(mails(), async (given) => {
        const parsed = await PostalMime.parse(composeMail(given, at));
        const addresses = (list: readonly { address?: string | undefined }[] | undefined): unknown[] =>
          (list ?? []).map(({ address }) => address);
        expect(parsed.text).toBe(given.text);
        expect(parsed.subject ?? '').toBe(given.subject);
        expect(parsed.from?.address).toBe(given.from);
        expect(addresses(parsed.to)).toEqual(given.to);
        expect(addresses(parsed.cc)).toEqual(given.cc);
        expect(parsed.bcc ?? []).toEqual([]);
        expect(parsed.inReplyTo).toBe(given.inReplyTo);
        expect(parsed.references ?? '').toBe(given.references.join(' '));
        expect(parsed.messageId).toBe(at.messageId);
        expect(parsed.date).toBe(at.date.toISOString());
        expect(
          parsed.attachments.map(({ filename, content }) => [filename, Buffer.from(content as ArrayBuffer)]),
        ).toEqual(given.attachments.map(({ name, bytes }) => [name, bytes]));
      }),
      { numRuns: 300 },
    );
  });

  it('has no header that a field brought in', () => {
    const names = (raw: Buffer): unknown[] =>
      headerLines(raw)
        .filter((line) => !/^[ \t]/.test(line))
        .map((line) => line.split(':')[0]);
    const plain = names(composeMail(mail({ subject: 'x' }), at));
    fc.assert(
      fc.property(subjects(), (subject) => {
        fc.pre(subject !== '');
        expect(names(composeMail(mail({ subject }), at))).toEqual(plain);
      }),
    );
  });

  it('passes a message as an attachment that nobody takes apart', async () => {
    const bytes = Buffer.from('From: x@example.com\r\nSubject: inner\r\n\r\nhello\r\n');
    const parsed = await PostalMime.parse(
      composeMail(mail({ attachments: [{ name: 'their mail.eml', bytes }] }), at),
    );
    expect(parsed.subject).toBe('Re: Lunch');
    expect(parsed.attachments.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
      ['their mail.eml', 'application/octet-stream'],
    ]);
  });
});

/** The text part's bytes, by a decoder that shares nothing with the encoder or with postal-mime. */
function decodedText(raw: Buffer): Buffer {
  const message = raw.toString('latin1');
  const boundary = /boundary="([^"]+)"/.exec(message)?.[1];
  const part = boundary === undefined ? message : (message.split(`--${boundary}`)[1] ?? '');
  const body = part.slice(part.indexOf('\r\n\r\n') + 4).replace(boundary === undefined ? '' : /\r\n$/, '');
  if (/Transfer-Encoding: base64/.test(part)) return Buffer.from(body, 'base64');
  const octets = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1');
}

function texts(): fc.Arbitrary<string> {
  // postal-mime drops a byte order mark at the start, as a reader may.
  const pieces = fc.constantFrom(
    '\n',
    ' ',
    '.',
    'From ',
    '--',
    '=',
    '\t',
    '\r\n',
    '\r',
    'é',
    '😀',
    'م',
    'word',
    '=?',
    'x'.repeat(70),
  );
  return fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.array(pieces, { minLength: 1 }).map((list) => list.join('')),
    )
    .filter((text) => !text.startsWith('\ufeff'));
}

function subjects(): fc.Arbitrary<string> {
  const tricky = fc.constantFrom(
    ' ',
    '  ',
    '=?utf-8?Q?a?=',
    '=?',
    '?=',
    'Re:',
    'é',
    '😀',
    ',',
    '"',
    '\\',
    ';',
    '<a@b>',
    'long'.repeat(30),
  );
  return fc
    .oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(tricky, { maxLength: 12 }).map((list) => list.join('')),
    )
    .map((text) => text.replace(/\p{Cc}/gu, ''));
}

function mails(): fc.Arbitrary<MailToCompose> {
  const word = fc.stringMatching(/^[a-z0-9]{1,20}$/);
  const address = fc
    .tuple(fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}$/), word)
    .map(([local, host]) => `${local}@${host}.example`);
  const messageId = fc
    .tuple(fc.stringMatching(/^[A-Za-z0-9.$+_=-]{1,80}$/), word)
    .map(([left, right]) => `<${left}@${right}>`);
  const name = subjects()
    .map((text) => `${text.replace(/[/\\]/g, '').trim().slice(0, 100).toWellFormed()}x.pdf`)
    .filter((text) => !text.includes('=?'));
  const attachment = fc.record({
    name,
    bytes: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
  });
  return fc.record({
    from: address,
    to: fc.array(address, { minLength: 1, maxLength: 20 }),
    cc: fc.array(address, { maxLength: 5 }),
    subject: subjects().map((text) => text.trim()),
    text: texts(),
    inReplyTo: fc.option(messageId, { nil: undefined }),
    references: fc.array(messageId, { maxLength: 50 }),
    attachments: fc.array(attachment, { maxLength: 3 }),
  });
}
