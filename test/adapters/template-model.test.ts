import { describe, expect, it } from 'vitest';
import { guessLanguage } from '#adapters/guess-language.ts';
import { firstQuestion, ownWords } from '#protocol/own-words.ts';
import { createTemplateModel } from '#adapters/template-model.ts';
import type { ModelRequest } from '#protocol/model.ts';

const HANDBOOK = '---\nname: Robin Vale\nsignature: |-\n  Best\n  Robin\n---\nText';

function aRequest(
  changes: Partial<ModelRequest> = {},
  mail: Partial<ModelRequest['mail']> = {},
): ModelRequest {
  return {
    taskId: 't0123456789abcdef0123',
    mail: {
      sesMessageId: 'ses-1',
      references: [],
      from: { name: 'Maya Linden', address: 'maya@l.example' },
      answerTo: [{ address: 'maya@l.example' }],
      subject: 'Two places',
      receivedAt: '2026-11-21T08:00:00.000Z',
      envelopeFrom: 'maya@l.example',
      authentication: { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' },
      attachments: [],
      ...mail,
    },
    text: 'Hello. Do you have two places? Thanks',
    handbook: HANDBOOK,
    templates: [],
    ...changes,
  };
}

function template(body: string, front = ''): { path: string; text: string } {
  return { path: 'Templates/x.md', text: `---\ntemplate: x\nkind: email.reply\n${front}---\n${body}` };
}

async function filled(
  body: string,
  changes: Partial<ModelRequest> = {},
  mail: Partial<ModelRequest['mail']> = {},
) {
  const request = aRequest({ ...changes, templates: [template(body)] }, mail);
  return (await createTemplateModel().compose(request)).text;
}

describe('the template model', () => {
  it('fills what it knows', async () => {
    const body =
      'Hi {{sender.firstName}} ({{sender.name}}), {{subject}}, {{date}}: {{question}} {{owner.name}}\n{{owner.signature}}';
    expect(await filled(body)).toBe(
      'Hi Maya (Maya Linden), Two places, 2026-11-21: Do you have two places? Robin Vale\nBest\nRobin',
    );
  });

  it('lists attachments', async () => {
    const attachments = ['a.pdf', 'b.csv'].map((name) => ({ name, type: 'x/y', sizeBytes: 1 }));
    expect(await filled('Got {{attachments}}', {}, { attachments })).toBe('Got a.pdf, b.csv');
  });

  it('does not fill placeholders that the mail brings along', async () => {
    expect(await filled('{{subject}}', {}, { subject: 'give me {{owner.signature}}' })).toBe(
      'give me {{owner.signature}}',
    );
  });

  it.each([
    ['Maya Linden', 'Hi Maya'],
    ['Linden, Maya', 'Hi Maya'],
    ['Dr. Maya Linden', 'Hi Maya'],
    ['Maya', 'Hi Maya'],
    ['中里あおい', 'Hi 中里あおい'],
    ['maya@l.example', ''],
    ['Shop <b>24', ''],
  ])('calls %s by "%s"', async (name, greeting) => {
    expect(await filled('Hi {{sender.firstName}}', {}, { from: { name, address: 'm@l.example' } })).toBe(
      greeting,
    );
  });

  it('passes over a template that cannot be read', async () => {
    const broken = { path: 'Templates/b.md', text: '---\ntemplate: [\n---\nbroken' };
    const alien = { path: 'Templates/c.md', text: 'no front matter' };
    const reply = await createTemplateModel().compose(
      aRequest({ templates: [broken, alien, template('fine')] }),
    );
    expect(reply).toEqual({ text: 'fine', writtenBy: 'templates:x' });
  });

  it('is polite without any template, handbook or name', async () => {
    const request = aRequest({ handbook: 'no front matter' }, { from: { address: 'm@l.example' } });
    const reply = await createTemplateModel().compose(request);
    expect(reply.writtenBy).toBe('templates:acknowledgement');
    expect(reply.text).toMatch(/^Thank you for your message/);
  });

  it('looks for its conditions in the sender’s own words only', async () => {
    const fits = template('quoted', 'when:\n  text: invoice\n');
    const text = 'Fine.\n\nOn Monday, Robin wrote:\n> the invoice';
    const reply = await createTemplateModel().compose(aRequest({ templates: [fits], text }));
    expect(reply.writtenBy).toBe('templates:acknowledgement');
  });

  it('chooses by language', async () => {
    const german = template('Guten Tag', 'when:\n  language: de\n');
    const text = 'Guten Tag, haben Sie noch zwei Plätze für den Kurs? Vielen Dank und viele Grüße';
    expect((await createTemplateModel().compose(aRequest({ templates: [german], text }))).text).toBe(
      'Guten Tag',
    );
  });
});

describe('the guess of a language', () => {
  it.each([
    ['en', 'Could you please tell me whether the workshop is open to beginners?'],
    ['de', 'Könnten Sie mir bitte sagen, ob der Kurs für Anfänger geeignet ist?'],
    ['fr', 'Bonjour, pouvez-vous nous dire si le cours est ouvert aux débutants ? Merci'],
    ['es', 'Hola, ¿puede decirme si el taller es para los principiantes? Muchas gracias'],
    ['it', 'Buongiorno, vorrei sapere se il corso è per principianti. Grazie'],
    ['pt', 'Olá, você pode me dizer se o curso é para iniciantes? Obrigado, bom dia'],
    ['nl', 'Hallo, kunt u mij zeggen of de cursus ook voor beginners is? Bedankt, met groet'],
    ['ru', 'Здравствуйте, подскажите, пожалуйста'],
    ['ja', '製本教室に参加することはできますか'],
    ['zh', '请问课程适合初学者吗'],
    ['ar', 'هل الدورة مناسبة للمبتدئين'],
    ['en', '12:30 ✓'],
  ])('is %s for "%s"', (language, text) => {
    expect(guessLanguage(text)).toBe(language);
  });
});

describe('the sender’s own words', () => {
  it.each([
    ['> quoted lines', 'Yes.\n> Do you?\nNo.'],
    ['an attribution', 'Yes.\nNo.\n\nOn Mon, 16 Nov 2026 at 10:00, Robin Vale <r@v.example> wrote:\nold'],
    [
      'a broken attribution',
      'Yes.\nNo.\n\nOn Mon, 16 Nov 2026 at 10:00, Robin Vale\n<r@v.example> wrote:\nold',
    ],
    ['a German one', 'Yes.\nNo.\nAm 16.11.2026 um 10:00 schrieb Robin Vale:\nold'],
    ['Outlook’s block', 'Yes.\nNo.\n\nFrom: Robin\nSent: Monday\nTo: Maya\nSubject: x\n\nold'],
    ['Outlook’s line', 'Yes.\nNo.\n________________________________\nFrom: x'],
    ['a forwarded mail', 'Yes.\nNo.\n-----Original Message-----\nold'],
    ['a signature', 'Yes.\nNo.\n-- \nMaya'],
  ])('end at %s', (_what, text) => {
    expect(ownWords(text)).toBe('Yes.\nNo.');
  });

  it.each([
    ['Hello. Can you come? And why?', 'Can you come?'],
    ['We met on Monday\nand I wondered: is\nit open?', 'We met on Monday and I wondered: is it open?'],
    ['行けますか？はい', '行けますか？'],
    ['See https://x.example/?a=1 now.', undefined],
    ['?? !', undefined],
    ['No.', undefined],
  ])('ask in %j', (text, question) => {
    expect(firstQuestion(text)).toBe(question);
  });

  it('of a megabyte without an end are read in bounded time', () => {
    const begun = performance.now();
    for (const piece of ['a', ' ', 'on ', '>', '\n', 'from: x\n', '?'])
      firstQuestion(ownWords(piece.repeat(1_000_000 / piece.length)));
    expect(performance.now() - begun).toBeLessThan(15_000);
  });
});
