import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import PostalMime, { type Email } from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answerSubject } from '#protocol/mail.ts';
import { EXAMPLE_MAILS, readExpectedMails, type ExpectedMail } from '#test/support/example-mails.ts';

const mails = await readExpectedMails();
const readable = mails.flatMap((mail) => (mail.parsed === null ? [] : [{ ...mail, parsed: mail.parsed }]));
const drafted = mails.filter((mail) => mail.verdict === 'respond');

/** A line of each mail that only the right charset and transfer encoding yield. */
const words = {
  'german-latin1.eml': 'würden gern Ihre Werkstatt besuchen. Haben Sie zwischen den Jahren geöffnet,',
  'french-latin9.eml': "Ma sœur et moi souhaitons participer à l'atelier du 5 décembre. Le prix de 85 €",
  'russian-koi8r.eml': 'И сколько времени это займёт?',
  'japanese-iso2022jp.eml': '参加することはできますか？',
  'arabic-base64.eml': 'وكم تبلغ التكلفة تقريباً؟',
};

describe('the sample mails', () => {
  it('are all listed once, and every listed one is there', async () => {
    const files = (await readdir(EXAMPLE_MAILS)).filter((name) => name.endsWith('.eml'));
    expect(mails.map((mail) => mail.file).sort()).toEqual(files.sort());
  });

  it('cover every verdict', () => {
    expect(new Set(mails.map((mail) => mail.verdict)).size).toBe(4);
  });

  it.each(mails)('$file ends its lines with CRLF only', async ({ file }) => {
    const text = await rawOf(file);
    expect(text).toMatch(/\r\n$/);
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  it.each(mails)('$file names only hosts that RFC 2606 keeps free', async ({ file }) => {
    const joined = (await rawOf(file)).replace(/=?\r\n[ \t]?/g, (fold) => (fold === '\r\n' ? fold : ''));
    const hosts = [...joined.matchAll(/(?:@|https?:\/\/)([\w-]+(?:\.[\w-]+)+)/g)].map(
      (match) => match[1] ?? '',
    );
    expect(hosts.length).toBeGreaterThan(0);
    expect(hosts.filter((host) => !/(^|\.)(example|example\.(com|net|org))$/.test(host))).toEqual([]);
  });

  it.each(mails)('$file begins with the envelope sender as Return-Path', async ({ file, envelopeFrom }) => {
    expect(await rawOf(file)).toMatch(new RegExp(`^Return-Path: <${RegExp.escape(envelopeFrom)}>\r\n`));
  });

  it.each(mails)('$file ends in the folder of its state, with a draft only if it is answered', (mail) => {
    expect([mail.state, mail.folder]).toEqual(PLACE[mail.verdict]);
    expect(mail.draftTo.length).toBe(mail.verdict === 'respond' ? 1 : 0);
    expect(mail.template === null).toBe(mail.verdict !== 'respond');
    expect(mail.subject).toBe(mail.verdict === 'respond' ? answerSubject(mail.parsed?.subject ?? '') : null);
  });
});

describe('a MIME parser', () => {
  it.each(readable)('reads $file as expected', async ({ file, parsed }) => {
    const mail = await parse(file);
    expect({
      from: mail.from?.address,
      name: mail.from?.name,
      subject: mail.subject,
      messageId: mail.messageId,
      attachments: mail.attachments.flatMap((part) => part.filename ?? []),
    }).toEqual(parsed);
    expect(mail.date).toMatch(/^2026-11-\d\dT/);
  });

  it.each(Object.entries(words))('reads the words of %s in their charset', async (file, line) => {
    expect((await parse(file)).text).toContain(line);
  });

  it('finds no text part where there is only HTML', async () => {
    const { text, html } = await parse('html-only.eml');
    expect(text).toBeUndefined();
    expect(html).toContain('The awl in it is broken');
  });

  it('finds four ids in the References of the thread, the last one answered', async () => {
    const { references = '', inReplyTo } = await parse('thread.eml');
    expect(references.split(/\s+/)).toHaveLength(4);
    expect(references.split(/\s+/).at(-1)).toBe(inReplyTo);
  });

  it.each([
    ['calendar-invitation.eml', 'REQUEST'],
    ['calendar-answer.eml', 'REPLY'],
  ])('finds the calendar part of %s', async (file, method) => {
    const part = (await parse(file)).attachments.find(({ mimeType }) => mimeType === 'text/calendar');
    expect(part?.method).toBe(method);
    expect(Buffer.from(part?.content as ArrayBuffer).toString()).toMatch(
      new RegExp(`^METHOD:${method}\r?$`, 'm'),
    );
  });
});

describe('the invoice', () => {
  it('is a PDF whose cross-reference table points at its objects', async () => {
    const [part] = (await parse('invoice-pdf.eml')).attachments;
    const pdf = Buffer.from(part?.content as ArrayBuffer).toString('latin1');
    expect(pdf).toMatch(/^%PDF-1\.\d\n/);
    expect(pdf).toMatch(/%%EOF\n$/);
    const table = pdf.slice(Number(/startxref\n(\d+)\n/.exec(pdf)?.[1]));
    expect(table).toMatch(/^xref\n0 \d+\n0{10} 65535 f \n/);
    const offsets = [...table.matchAll(/^(\d{10}) 00000 n $/gm)].map((match) => Number(match[1]));
    expect(offsets.length).toBe(Number(/\/Size (\d+)/.exec(table)?.[1]) - 1);
    offsets.forEach((offset, index) =>
      expect(pdf.slice(offset)).toMatch(new RegExp(`^${index + 1} 0 obj\n`)),
    );
  });
});

describe('the hostile mails', () => {
  it('the injection gives its orders in plain sight, hidden, as front matter and as a draft', async () => {
    const { text = '', html = '' } = await parse('prompt-injection.eml');
    expect(text).toMatch(/Ignore all previous instructions[^]*^---$[^]*^status: approved$[^]*^## Draft$/m);
    expect(html).toMatch(/display:none[^>]*>[^<]*ignore previous instructions/);
    expect(drafted.find(({ file }) => file === 'prompt-injection.eml')?.draftTo).toEqual([
      'ivo@gable.example',
    ]);
  });

  it('the false boss claims in its own headers to have passed', async () => {
    expect(await rawOf('spoofed-boss.eml')).toMatch(/dmarc=pass \(p=reject\) header\.from=boss\.example/);
  });

  it('the ambiguous ones have two senders, in one header and in two', async () => {
    expect(await rawOf('two-senders.eml')).toMatch(/^From: [^<]+<[^>]+>,\r\n [^<]+<[^>]+>\r\n/m);
    expect((await rawOf('two-from-headers.eml')).match(/^From: /gm)).toHaveLength(2);
  });

  it('the broken one has NUL bytes in its header, no usable sender and no end', async () => {
    const raw = await rawOf('broken.eml');
    expect(raw.slice(0, raw.indexOf('\r\n\r\n'))).toContain('\0');
    expect((await parse('broken.eml')).from?.address).not.toMatch(/^[^@\s]+@[^@\s]+\.[^@\s]+$/);
    expect(raw).not.toContain('--=_scan--');
  });
});

describe('the table of verdicts', () => {
  const Verdict = z.enum(['PASS', 'FAIL', 'GRAY', 'PROCESSING_FAILED']);
  const Row = z.strictObject({
    spf: Verdict,
    dkim: Verdict,
    dmarc: Verdict,
    dmarcPolicy: z.enum(['none', 'quarantine', 'reject']).optional(),
  });

  it('knows the domains of every sender and fails DMARC for the false boss alone', async () => {
    const text = await readFile(path.join(EXAMPLE_MAILS, 'verdicts.json'), 'utf8');
    const { domains } = z.strictObject({ domains: z.record(z.string(), Row) }).parse(JSON.parse(text));
    const senders = mails.flatMap((mail) => [mail.envelopeFrom, mail.parsed?.from ?? '']).filter(Boolean);
    expect(senders.filter((sender) => domains[domainOf(sender)] === undefined)).toEqual([]);

    const failing = readable.filter(({ parsed, envelopeFrom }) => {
      const domain = domainOf(parsed.from);
      return (
        domains[domain]?.dmarcPolicy !== undefined && !`.${domainOf(envelopeFrom)}`.endsWith(`.${domain}`)
      );
    });
    expect(failing.map((mail) => mail.file)).toEqual(['spoofed-boss.eml']);
  });
});

const PLACE: Readonly<Record<ExpectedMail['verdict'], [ExpectedMail['state'], ExpectedMail['folder']]>> = {
  respond: ['pending_approval', 'Pending_Approval'],
  notify: ['needs_action', 'Needs_Action'],
  ignore: ['ignored', null],
  quarantine: ['quarantined', 'Needs_Attention'],
};

async function rawOf(file: string): Promise<string> {
  return readFile(path.join(EXAMPLE_MAILS, file), 'latin1');
}

async function parse(file: string): Promise<Email> {
  return PostalMime.parse(await readFile(path.join(EXAMPLE_MAILS, file)));
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}
