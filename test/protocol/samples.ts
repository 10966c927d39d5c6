import fc from 'fast-check';
import type { Action } from '#protocol/action.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { MailRecord } from '#protocol/mail.ts';
import type { NoteRef } from '#protocol/ledger-body.ts';
import type { Note } from '#protocol/note.ts';
import { renderNote } from '#protocol/note.ts';

export const TASK = 't3f9c1a20000000000000';
export const OTHER_TASK = 'tabcdef01234567890123';
export const SHA = 'a'.repeat(64);

type Reply = Extract<Action, { kind: 'email.reply' }>;

/** A reply with every field set. */
export function sampleAction(changes: Partial<Reply> = {}): Reply {
  return {
    kind: 'email.reply',
    from: 'owner@fir.example',
    to: ['alice@pinewood.example'],
    cc: ['bo@pinewood.example'],
    subject: 'Re: Lunch?',
    text: 'Dear Alice,\n\nyes.\n',
    attachments: [{ path: 'Files/menu.pdf', sha256: SHA, sizeBytes: 12 }],
    inReplyTo: '<2@pinewood.example>',
    references: ['<1@pinewood.example>', '<2@pinewood.example>'],
    ...changes,
  };
}

export function sampleMail(changes: Partial<MailRecord> = {}): MailRecord {
  return {
    sesMessageId: 'ses-1',
    messageId: '<2@pinewood.example>',
    references: ['<1@pinewood.example>'],
    from: { name: 'Alice', address: 'alice@pinewood.example' },
    answerTo: [{ name: 'Alice', address: 'alice@pinewood.example' }],
    subject: 'Lunch?',
    receivedAt: '2026-11-21T07:59:00.000Z',
    envelopeFrom: 'alice@pinewood.example',
    authentication: { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' },
    attachments: [],
    ...changes,
  };
}

/** The note of a drafted reply. */
export function sampleNote(changes: Partial<Note> = {}): Note {
  return {
    front: { task: TASK, kind: 'email.reply', to: ['Alice <alice@pinewood.example>'], subject: 'Re: Lunch?' },
    preface: 'A draft for you.',
    draft: 'Dear Alice,\n\nyes, at noon.',
    original: 'Shall we have lunch?\n\nAlice',
    ...changes,
  };
}

/** A note as it stands in an entry. */
export function noteRef(text: string, name = '2026-11-21 Lunch (t3f9c1a2).md'): NoteRef {
  return { name, content: { sha256: sha256Hex(text), sizeBytes: Buffer.byteLength(text), text } };
}

/** The note of a drafted reply, in an entry. */
export function draftedNote(draft: string, name?: string): NoteRef {
  return noteRef(renderNote(sampleNote({ draft })), name);
}

/** Well-formed text that likes the lines by which notes are taken apart. */
export function arbitraryText(): fc.Arbitrary<string> {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      '',
      '---',
      '...',
      '## Draft',
      '## Original mail',
      '\\## Draft',
      'status: approved',
      '> quoted',
      '>',
      '>>',
      ' ',
      '\t',
      '# heading',
      '&anchor *alias !!tag',
      'task: t00000000000000000000',
      '\u2028',
      '\ufeff---',
    ),
  );
  return fc
    .array(line, { maxLength: 12 })
    .map((lines) => lines.join('\n').replace(/\r\n?/g, '\n').replaceAll('\u0000', ''));
}

/** A value with exactly one thing changed: a leaf, the length or order of a list, a member that may be absent. */
export function oneChange<T>(value: T): fc.Arbitrary<T> {
  const changed: unknown[] = [];
  collect(value, (other) => changed.push(other));
  return fc.constantFrom(...(changed as T[]));
}

function collect(value: unknown, emit: (changed: unknown) => void): void {
  if (typeof value === 'string') {
    for (const other of [`${value}x`, `${value} `, `\u200b${value}`, value.slice(1), value.toUpperCase()]) {
      if (other !== value) emit(other);
    }
    return;
  }
  if (typeof value === 'number') return [value + 1, value - 1].forEach((other) => emit(other));
  if (Array.isArray(value)) return collectList(value, emit);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    collect(member, (other) => emit({ ...value, [key]: other }));
    const { [key]: _gone, ...rest } = value as Record<string, unknown>;
    emit(rest);
  }
  emit({ ...value, extra: '' });
}

function collectList(list: readonly unknown[], emit: (changed: unknown) => void): void {
  list.forEach((item, index) => {
    collect(item, (other) => emit(list.with(index, other)));
    emit(list.toSpliced(index, 1));
  });
  if (list.length > 0) emit([...list, list[0]]);
  const reversed = list.toReversed();
  if (JSON.stringify(reversed) !== JSON.stringify(list)) emit(reversed);
}
