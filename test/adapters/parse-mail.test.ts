import { describe, expect, it } from 'vitest';
import { parsed, withHeaders } from './raw-mail.ts';

const FROM = 'From: ann@a.example';

describe('a mail', () => {
  it('is read down to its text', async () => {
    const mail = await parsed(
      'From: Ann <ann@a.example>',
      'Reply-To: desk@a.example',
      'To: b@b.example, C <c@c.example>',
      'Cc: Team: d@d.example, e@e.example;',
      'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=',
      ' and more',
      'Date: Mon, 16 Nov 2026 09:40:54 +0100 (CET)',
      'Message-ID: <one@a.example>',
      'In-Reply-To: <zero@b.example>',
      'References: <first@b.example>',
      '\t<zero@b.example>',
      '',
      'Hello,',
      'are you there?  ',
    );
    expect(mail).toEqual({
      messageId: '<one@a.example>',
      inReplyTo: '<zero@b.example>',
      references: ['<first@b.example>', '<zero@b.example>'],
      from: [{ name: 'Ann', address: 'ann@a.example' }],
      replyTo: [{ address: 'desk@a.example' }],
      to: [{ address: 'b@b.example' }, { name: 'C', address: 'c@c.example' }],
      cc: [{ address: 'd@d.example' }, { address: 'e@e.example' }],
      subject: 'Grüße and more',
      date: '2026-11-16T08:40:54.000Z',
      text: 'Hello,\nare you there?',
      textTruncated: false,
      hiddenText: false,
      attachments: [],
      list: false,
      autoResponseSuppress: false,
      defects: [],
    });
  });

  it.each([
    ['iso-2022-jp', Buffer.from('1b244224332473244b2441244f1b2842', 'hex'), 'こんにちは'],
    ['koi8-r', Buffer.from([0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4]), 'Привет'],
    ['windows-1251', Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]), 'Привет'],
    ['iso-8859-15', Buffer.from([0xa4, 0xbd]), '€œ'],
    ['gb18030', Buffer.from('c4e3bac3', 'hex'), '你好'],
    ['utf-8', Buffer.from('مرحبا'), 'مرحبا'],
  ])('is read in %s', async (charset, bytes, text) => {
    const plain = await parsed(FROM, `Content-Type: text/plain; charset=${charset}`, '', bytes);
    expect(plain).toMatchObject({ text, defects: [] });
    const base64 = Buffer.from(bytes).toString('base64');
    const subject = await withHeaders(`Subject: =?${charset}?B?${base64}?=`);
    expect(subject.subject).toBe(text);
  });

  it('is a doubtful one when nobody knows its character set', async () => {
    const mail = await parsed(
      FROM,
      'Content-Type: text/plain; charset=klingon',
      '',
      Buffer.from([0x68, 0xe9, 0x69]),
    );
    expect(mail.defects).toEqual([expect.stringContaining('klingon')]);
  });

  it.each([
    ['List-Id: <l.a.example>', { list: true }],
    ['List-Unsubscribe: <https://a.example>', { list: true }],
    ['Auto-Submitted: auto-generated; owner=x', { autoSubmitted: 'auto-generated' }],
    ['Auto-Submitted: (really) No', { autoSubmitted: 'no' }],
    ['X-Autoreply: yes', { autoSubmitted: 'auto-replied' }],
    ['Precedence: Bulk', { precedence: 'bulk' }],
    ['X-Auto-Response-Suppress: All', { autoResponseSuppress: true }],
    ['Date: Mon, 16 Nov 2026 09:40:54', { date: '2026-11-16T09:40:54.000Z' }],
  ])('says by "%s" what it is', async (header, expected) => {
    expect(await withHeaders(header)).toMatchObject(expected);
  });

  it('cannot deny by a second header that it is automatic', async () => {
    const mail = await withHeaders('Auto-Submitted: no', 'Auto-Submitted: auto-replied');
    expect(mail.autoSubmitted).toBe('auto-replied');
  });

  it.each([
    'Date: yesterday',
    'Date: Thu, 1 Jan 99999 00:00:00 +0000',
    'Message-ID: none',
    'In-Reply-To: your mail',
  ])('is read without what "%s" does not say', async (header) => {
    const mail = await withHeaders(header);
    expect([mail.date, mail.messageId, mail.inReplyTo]).toEqual([undefined, undefined, undefined]);
  });

  it('gives its plain text where it has both, and looks for hidden text in the other', async () => {
    const mail = await parsed(
      FROM,
      'Content-Type: multipart/alternative; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'plain words',
      '--b',
      'Content-Type: text/html',
      '',
      '<p>rich words</p><p style="display:none">obey</p>',
      '--b--',
    );
    expect(mail).toMatchObject({ text: 'plain words', hiddenText: true, defects: [] });
  });

  it('shows no hidden text of an HTML part that stands beside a plain one', async () => {
    const mail = await parsed(
      FROM,
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'plain words',
      '--b',
      'Content-Type: text/html',
      '',
      'rich words <p hidden>obey</p>',
      '--b--',
    );
    expect(mail).toMatchObject({ text: 'plain words\n\nrich words', hiddenText: true });
  });

  it('keeps a mail that is attached out of its own words', async () => {
    const mail = await parsed(
      FROM,
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'see below',
      '--b',
      'Content-Type: message/rfc822',
      '',
      'From: x@y.example',
      '',
      'other words',
      '--b--',
    );
    expect(mail.text).toBe('see below');
    expect(mail.attachments).toMatchObject([{ name: 'message.eml', type: 'message/rfc822' }]);
    expect(mail.reportedMessageId).toBeUndefined();
  });

  it('is not judged by the build of a mail that is attached', async () => {
    const attached = [`X-Long: ${'a'.repeat(2_000_000)}`, 'From: x@y.example', '', 'other words'];
    const head = ['Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'see below', '--b'];
    const mail = await parsed(FROM, ...head, 'Content-Type: message/rfc822', '', ...attached, '--b--');
    expect(mail).toMatchObject({ text: 'see below', attachments: [{ name: 'message.eml' }] });
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['D:\\\\Scans\\\\x\\\\a.exe', 'a.exe'],
    ['..', 'unnamed'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['a\u0000b\tc.txt', 'abc.txt'],
    ['.hidden.', 'hidden'],
    ['"<script>".html', 'unnamed'],
  ])('names the attachment %j safely', async (name, safe) => {
    const mail = await parsed(
      FROM,
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'hi',
      '--b',
      'Content-Type: application/octet-stream',
      `Content-Disposition: attachment; filename="${name}"`,
      'Content-Transfer-Encoding: base64',
      '',
      'AAAA',
      '--b--',
    );
    expect(mail.attachments).toEqual([{ name: safe, type: 'application/octet-stream', sizeBytes: 3 }]);
  });

  it('keeps the extension of a very long name', async () => {
    const mail = await parsed(
      FROM,
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      `Content-Type: application/pdf; name="${'ä'.repeat(900)}.pdf"`,
      '',
      'x',
      '--b--',
    );
    expect(mail.attachments[0]?.name).toMatch(/^ä{251}\.pdf$/);
  });

  it('that breaks off is read as far as it goes, with a defect', async () => {
    const mail = await parsed(
      FROM,
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'so far and no',
    );
    expect(mail).toMatchObject({ text: 'so far and no', defects: [expect.stringContaining('breaks off')] });
  });

  it.each([
    ['a multipart without its parts', ['Content-Type: multipart/mixed; boundary=b'], 'cannot be found'],
    ['two content types', ['Content-Type: text/plain', 'Content-Type: text/html'], 'two Content-Type'],
    ['two Reply-To', ['Reply-To: a@x.example', 'Reply-To: b@x.example'], 'two Reply-To'],
    ['a line that is no header', ['what is this'], 'no header'],
    ['a NUL in a header', ['X-A: a\0b'], 'NUL'],
  ])('with %s has a defect', async (_what, headers, words) => {
    const mail = await withHeaders(...headers);
    expect(mail.defects).toContainEqual(expect.stringContaining(words));
  });

  it('that breaks off in undecodable text is unreadable', async () => {
    const noise = Buffer.alloc(500, 0xff);
    const broken = [
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      '',
    ];
    await expect(parsed(FROM, ...broken, noise)).rejects.toMatchObject({ code: 'MAIL_UNREADABLE' });
  });

  it('of very many words is cut, and says so', async () => {
    const mail = await parsed(FROM, '', '🦊'.repeat(200_000));
    expect(mail.textTruncated).toBe(true);
    expect(mail.text.length).toBeLessThanOrEqual(262_144);
    expect(mail.text.isWellFormed()).toBe(true);
  });

  it('keeps the beginning and the end of a long thread', async () => {
    const ids = Array.from({ length: 5000 }, (_, index) => `<${index}@a.example>`);
    const { references } = await withHeaders(`References: ${ids.join('\r\n ')}`);
    expect(references).toHaveLength(200);
    expect([references[0], references[1], references.at(-1)]).toEqual([
      '<0@a.example>',
      '<4801@a.example>',
      '<4999@a.example>',
    ]);
  });

  it('tells a calendar part by its method', async () => {
    const calendar = (type: string, body: string) =>
      parsed(FROM, `Content-Type: ${type}`, '', 'BEGIN:VCALENDAR', body, 'END:VCALENDAR');
    expect((await calendar('text/calendar; method=request', 'VERSION:2.0')).calendarMethod).toBe('REQUEST');
    expect((await calendar('text/calendar', 'METHOD:REPLY')).calendarMethod).toBe('REPLY');
    expect((await calendar('text/calendar', 'VERSION:2.0')).calendarMethod).toBe('PUBLISH');
  });
});
