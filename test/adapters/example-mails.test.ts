import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMail } from '#adapters/parse-mail.ts';
import { createTemplateModel } from '#adapters/template-model.ts';
import { ParsedMail } from '#protocol/mail.ts';
import { EXAMPLE_MAILS, readExpectedMails } from '#test/support/example-mails.ts';
import { readdirSync, readFileSync } from 'node:fs';

const mails = await readExpectedMails();
const templatesDir = path.resolve(EXAMPLE_MAILS, '../vault/Templates');
const templates = readdirSync(templatesDir).map((name) => ({
  path: `Templates/${name}`,
  text: readFileSync(path.join(templatesDir, name), 'utf8'),
}));
const handbook = readFileSync(path.join(templatesDir, '../Handbook.md'), 'utf8');

async function parseExample(file: string): Promise<ParsedMail> {
  const raw = await readFile(path.join(EXAMPLE_MAILS, file));
  return ParsedMail.parse(await parseMail(Uint8Array.from(raw).buffer));
}

describe('the sample mails', () => {
  it.each(mails)('$file is read as it was meant', async ({ file, parsed: meant }) => {
    if (meant === null) {
      await expect(parseExample(file)).rejects.toMatchObject({ code: 'MAIL_UNREADABLE' });
      return;
    }
    const mail = await parseExample(file);
    expect({
      from: mail.from[0]?.address,
      name: mail.from[0]?.name ?? '',
      subject: mail.subject,
      messageId: mail.messageId,
      attachments: mail.attachments.map(({ name }) => name),
    }).toEqual(meant);
    expect(mail.defects).toEqual([]);
  });

  it.each(mails.filter(({ template }) => template !== null))(
    '$file is answered by the template $template of the starter vault',
    async ({ file, template }) => {
      const mail = await parseExample(file);
      const absent = {
        spf: 'ABSENT',
        dkim: 'ABSENT',
        dmarc: 'ABSENT',
        spam: 'ABSENT',
        virus: 'ABSENT',
      } as const;
      const reply = await createTemplateModel().compose({
        taskId: 't0123456789abcdef0123',
        mail: {
          sesMessageId: 'ses-1',
          references: mail.references,
          ...(mail.from[0] === undefined ? {} : { from: mail.from[0] }),
          answerTo: mail.from,
          subject: mail.subject,
          receivedAt: '2026-11-21T08:00:00.000Z',
          envelopeFrom: mail.from[0]?.address ?? '',
          authentication: absent,
          attachments: mail.attachments,
        },
        text: mail.text,
        handbook,
        templates,
      });
      expect(reply.writtenBy).toBe(`templates:${template}`);
      expect(reply.text).not.toContain('{{');
      expect(reply.text).toContain('Robin Vale');
    },
  );

  it('are read in their own scripts', async () => {
    expect((await parseExample('japanese-iso2022jp.eml')).text).toMatch(/参加することはできますか/);
    expect((await parseExample('russian-koi8r.eml')).text).toMatch(/Можно ли заказать/);
    expect((await parseExample('arabic-base64.eml')).text).toMatch(/هل تقبلين/);
    expect((await parseExample('french-latin9.eml')).text).toMatch(/85 €/);
    expect((await parseExample('german-latin1.eml')).text).toMatch(/geöffnet/);
  });

  it('say when a reader would not see all of it', async () => {
    const hidden = await Promise.all(
      mails
        .filter(({ parsed }) => parsed)
        .map(async ({ file }) => ((await parseExample(file)).hiddenText ? file : '')),
    );
    expect(hidden.filter(Boolean)).toEqual(['prompt-injection.eml', 'newsletter.eml']);
  });

  it('name the mail that a report is about', async () => {
    expect(await parseExample('bounce.eml')).toMatchObject({
      report: 'delivery-status',
      reportedMessageId: '<0102019a91c4e7b8-3d5f2a90@email.example.com>',
    });
    expect(await parseExample('arf-report.eml')).toMatchObject({
      report: 'feedback-report',
      reportedMessageId: '<0102019a91d8f3c2-5e7a1b04@email.example.com>',
    });
    expect(await parseExample('read-receipt.eml')).toMatchObject({ report: 'disposition-notification' });
  });
});
