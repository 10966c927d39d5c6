import { z } from 'zod';
import { NoteFormatError } from './errors.ts';
import { splitFrontMatter } from './front-matter.ts';

const Words = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** The front matter of a file in `Templates/`: when it fits. Every condition given must hold; a list is any-of. */
export const TemplateFront = z.strictObject({
  template: z.string().min(1).max(100),
  kind: z.literal('email.reply'),
  priority: z.int().default(0),
  when: z
    .strictObject({
      subject: Words.optional(),
      from: Words.optional(),
      text: Words.optional(),
      language: Words.optional(),
      hasAttachment: z.boolean().optional(),
    })
    .optional(),
  tags: z.unknown().optional(),
});
export type TemplateFront = z.infer<typeof TemplateFront>;

/** A template ready to be chosen and filled. */
export interface Template extends TemplateFront {
  readonly body: string;
}

/** What a template's conditions look at. */
export interface TemplateSubject {
  readonly subject: string;
  readonly text: string;
  readonly from: string;
  readonly language: string;
  readonly hasAttachment: boolean;
}

/**
 * Reads a template note.
 *
 * @throws {NoteFormatError} when its front matter is not that of a template.
 */
export function parseTemplate(text: string): Template {
  const { front, body } = splitFrontMatter(text);
  const parsed = TemplateFront.safeParse(front);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new NoteFormatError(
      `not a template: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
    );
  }
  return { ...parsed.data, body: body.trim() };
}

/** The template that fits best: highest priority, then most conditions, then by name. */
export function chooseTemplate(templates: readonly Template[], mail: TemplateSubject): Template | undefined {
  return templates
    .filter((template) => fits(template, mail))
    .sort(
      (a, b) =>
        b.priority - a.priority || conditions(b) - conditions(a) || a.template.localeCompare(b.template),
    )[0];
}

/**
 * Fills `{{placeholders}}`. Values are text and never looked at for placeholders themselves. A line
 * whose placeholder is empty or unknown is dropped, so that no draft says "Dear ,".
 */
export function fillTemplate(body: string, values: Readonly<Record<string, string>>): string {
  const lines = body.split('\n').flatMap((line) => {
    const names = [...line.matchAll(/\{\{\s*([\w.]+)\s*\}\}/g)].map((match) => match[1] ?? '');
    if (names.some((name) => !valueOf(values, name))) return [];
    return [line.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_all, name: string) => valueOf(values, name))];
  });
  return lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** `{{constructor}}` is no value, though every object has one. */
function valueOf(values: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(values, name) ? (values[name] ?? '') : '';
}

function conditions(template: Template): number {
  return Object.keys(template.when ?? {}).length;
}

function fits(template: Template, mail: TemplateSubject): boolean {
  const when = template.when ?? {};
  const checks = [
    when.subject === undefined || hasPhrase(mail.subject, when.subject),
    when.text === undefined || hasPhrase(mail.text, when.text),
    when.from === undefined || when.from.some((sender) => isFrom(mail.from, sender)),
    when.language === undefined || when.language.includes(mail.language),
    when.hasAttachment === undefined || when.hasAttachment === mail.hasAttachment,
  ];
  return checks.every(Boolean);
}

/** Whole words, whatever their case: `cat` is not in `catalogue`. */
function hasPhrase(text: string, phrases: readonly string[]): boolean {
  const words = ` ${fold(text)} `;
  return phrases.some((phrase) => words.includes(` ${fold(phrase)} `));
}

function fold(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
}

function isFrom(address: string, sender: string): boolean {
  const [from, wanted] = [address.toLowerCase(), sender.toLowerCase()];
  return from === wanted || from.endsWith(`@${wanted.replace(/^@/, '')}`);
}
