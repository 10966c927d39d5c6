import { isAlias, isNode, isPair, isScalar, parseDocument, visit } from 'yaml';
import { NoteFormatError } from './errors.ts';
import { yamlText } from './yaml-text.ts';

const MAX_FRONT_MATTER = 64 * 1024;

/** A Markdown text taken apart: its front matter as plain data, and the lines below it, untouched. */
export interface SplitNote {
  readonly front: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/**
 * Splits a note at its front matter: `---` alone on the first line up to the next such line. Strict YAML
 * 1.2 core: no tags, no anchors, no aliases, no duplicate keys, a mapping at the top. Line ends are read
 * as `\n` whatever they are. `---` further down is text.
 *
 * @throws {NoteFormatError} saying what is wrong and where.
 */
export function splitFrontMatter(text: string): SplitNote {
  const lines = text
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n')
    .split('\n');
  if (lines[0] !== '---') throw new NoteFormatError('the note does not begin with front matter (a line ---)');
  const end = lines.indexOf('---', 1);
  if (end < 0) throw new NoteFormatError('the front matter has no end (a second line ---)');
  return { front: parseStrictYaml(lines.slice(1, end).join('\n')), body: lines.slice(end + 1).join('\n') };
}

/**
 * Parses YAML as strictly as `splitFrontMatter`; an empty text is an empty mapping.
 *
 * @throws {NoteFormatError} naming the first problem.
 */
export function parseStrictYaml(text: string): Record<string, unknown> {
  if (text.length > MAX_FRONT_MATTER) throw new NoteFormatError('the front matter is longer than 64 KB');
  const document = parseDocument(text, {
    schema: 'core',
    uniqueKeys: true,
    customTags: [],
    strict: true,
    merge: false,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem)
    throw new NoteFormatError(`the front matter is not strict YAML: ${firstLine(problem.message)}`);
  visit(document, (_key, node) => {
    if (isAlias(node))
      throw new NoteFormatError('the front matter has an alias (*name), which is not allowed');
    if (isNode(node) && 'anchor' in node && node.anchor) {
      throw new NoteFormatError('the front matter has an anchor (&name), which is not allowed');
    }
    if (isNode(node) && node.tag !== undefined) {
      throw new NoteFormatError(`the front matter has a tag (${node.tag}), which is not allowed`);
    }
    if (isScalar(node) && typeof node.value === 'string' && !node.value.isWellFormed()) {
      throw new NoteFormatError('the front matter has half a character (a lone surrogate), which is no text');
    }
    if (isPair(node) && !isScalar(node.key)) {
      throw new NoteFormatError('the front matter has a key that is not a word, which is not allowed');
    }
  });
  const value: unknown = document.toJS({ maxAliasCount: 0 }) ?? {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new NoteFormatError('the front matter is not a list of key: value lines');
  }
  return value as Record<string, unknown>;
}

/** Front matter and body as one text; strings that YAML could read as something else are quoted. */
export function joinFrontMatter(front: Readonly<Record<string, unknown>>, body: string): string {
  return `---\n${yamlText(front)}---\n${body}`;
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message;
}
