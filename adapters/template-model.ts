import { splitFrontMatter } from '#protocol/front-matter.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import type { ModelRequest } from '#protocol/model.ts';
import type { Model } from '#protocol/ports.ts';
import { chooseTemplate, fillTemplate, parseTemplate, type Template } from '#protocol/template.ts';
import { guessLanguage } from './guess-language.ts';
import { firstQuestion, ownWords } from '#protocol/own-words.ts';

/** Used when the owner has no template that fits. */
const FALLBACK: Template = {
  template: 'acknowledgement',
  kind: 'email.reply',
  priority: 0,
  body: [
    'Hello {{sender.firstName}},',
    '',
    'Thank you for your message. I have read it and will come back to you.',
    '',
    '{{owner.signature}}',
  ].join('\n'),
};

/**
 * Writes drafts from the owner's templates alone: the model that needs no model. The templates are tried
 * by `chooseTemplate`; one that cannot be read is passed over. With none that fits, a short and polite
 * acknowledgement is written.
 *
 * Placeholders: `sender.firstName`, `sender.name`, `subject`, `date`, `owner.name`, `owner.signature` (the last
 * two from the front matter of the handbook: `name`, `signature`), `question` (the first question of the
 * mail's own words), `attachments`.
 */
export function createTemplateModel(): Model {
  return {
    compose: async (request) => {
      const own = ownWords(request.text);
      const template =
        chooseTemplate(readable(request), {
          subject: request.mail.subject,
          text: own,
          from: request.mail.from?.address ?? '',
          language: guessLanguage(`${request.mail.subject}\n${own}`),
          hasAttachment: request.mail.attachments.length > 0,
        }) ?? FALLBACK;
      const text = fillTemplate(template.body, valuesOf(request, own));
      return { text, writtenBy: `templates:${template.template}` };
    },
  };
}

function readable(request: ModelRequest): Template[] {
  return request.templates.flatMap((order) => {
    try {
      return [parseTemplate(order.text)];
    } catch (error) {
      if (error instanceof NoteFormatError) return [];
      throw error;
    }
  });
}

function valuesOf(request: ModelRequest, own: string): Record<string, string> {
  const { mail } = request;
  const name = senderName(mail.from?.name);
  const owner = ownerOf(request.handbook);
  return {
    'sender.name': name,
    'sender.firstName': firstName(name),
    subject: mail.subject,
    date: mail.receivedAt.slice(0, 10),
    'owner.name': owner.name,
    'owner.signature': owner.signature || owner.name,
    question: firstQuestion(own) ?? '',
    attachments: mail.attachments.map((attachment) => attachment.name).join(', '),
  };
}

/** A name that can be said; empty for what is an address or has no letters. */
function senderName(name: string | undefined): string {
  const text = (name ?? '').trim();
  if (text.length > 100 || /[@<>{}\d]|https?:|www\./i.test(text) || !/\p{L}/u.test(text)) return '';
  // "Linden, Maya" is how directories write it.
  const [, last = '', first = ''] = /^([^,]+),\s*([^,]+)$/.exec(text) ?? [];
  return first ? `${first} ${last}` : text;
}

/** The first of two or three words; empty where taking one would be a guess (a company, a name in Han or kana). */
function firstName(name: string): string {
  const words = name.split(/\s+/).filter((word) => !/^(dr|prof|mr|mrs|ms|mx|herr|frau|mme)\.?$/i.test(word));
  const [first = ''] = words;
  const isWestern =
    /^\p{Lu}[\p{L}\p{M}'’-]+$/u.test(first) && !/[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}]/u.test(name);
  return words.length >= 2 && words.length <= 3 && isWestern ? first : name;
}

function ownerOf(handbook: string | undefined): { name: string; signature: string } {
  if (handbook === undefined) return { name: '', signature: '' };
  try {
    const { front } = splitFrontMatter(handbook);
    const word = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
    return { name: word(front['name']), signature: word(front['signature']) };
  } catch (error) {
    if (error instanceof NoteFormatError) return { name: '', signature: '' };
    throw error;
  }
}
