import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainAddress } from '#protocol/action.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import { actionsOf, bareAddress } from '#protocol/note-actions.ts';
import type { ActionContext } from '#protocol/note-actions.ts';
import type { Note, NoteFront } from '#protocol/note.ts';
import { SHA, sampleMail, sampleNote, TASK } from './samples.ts';

const context: ActionContext = { from: 'owner@fir.example', mail: sampleMail(), attachments: [] };

function withFront(changes: Partial<NoteFront>): Note {
  return sampleNote({ front: { ...sampleNote().front, ...changes } });
}

describe('what an answer would do', () => {
  it('is said by the note and by the record of the mail', () => {
    const note = withFront({
      to: ['"Doe, Alice" <alice@pinewood.example>', 'bo@pinewood.example'],
      cc: ['Cy <cy@x.example>'],
    });
    expect(actionsOf(note, context)).toEqual([
      {
        kind: 'email.reply',
        from: 'owner@fir.example',
        to: ['alice@pinewood.example', 'bo@pinewood.example'],
        cc: ['cy@x.example'],
        subject: 'Re: Lunch?',
        text: 'Dear Alice,\n\nyes, at noon.',
        attachments: [],
        inReplyTo: '<2@pinewood.example>',
        references: ['<1@pinewood.example>', '<2@pinewood.example>'],
      },
    ]);
  });

  it('is threaded by the record alone, whatever the note says', () => {
    const note = sampleNote({ draft: 'In-Reply-To: <evil@x>\n\nhello', original: 'References: <evil@x>' });
    expect(actionsOf(note, context)).toMatchObject([
      { inReplyTo: '<2@pinewood.example>', references: ['<1@pinewood.example>', '<2@pinewood.example>'] },
    ]);
  });

  it('is not threaded to a message id that is none', () => {
    const mail = sampleMail({ messageId: '<a> <b>', references: ['x', '<ok@x>', '<a\r\nBcc: b>', ''] });
    const [action] = actionsOf(sampleNote(), { ...context, mail });
    expect(action).toMatchObject({ references: ['<ok@x>'] });
    expect(action).not.toHaveProperty('inReplyTo');
  });

  it('holds the attached files with their hashes, in the order of the note', () => {
    const attachments = [
      { path: 'Files/a.pdf', sha256: SHA, sizeBytes: 1 },
      { path: 'Files/b.pdf', sha256: SHA, sizeBytes: 2 },
    ];
    const note = withFront({ attachments: ['Files/a.pdf', 'Files/b.pdf'] });
    expect(actionsOf(note, { ...context, attachments })).toMatchObject([{ attachments }]);
    for (const others of [
      [],
      attachments.slice(1),
      attachments.toReversed(),
      [...attachments, ...attachments],
    ]) {
      expect(() => actionsOf(note, { ...context, attachments: others })).toThrow(
        'the attached files are not the ones',
      );
    }
    expect(() => actionsOf(sampleNote(), { ...context, attachments })).toThrow(
      'the attached files are not the ones',
    );
  });

  it.each([
    ['a line break in the subject', { subject: 'Hello\r\nBcc: eve@evil.example' }, 'subject'],
    ['a line feed in the subject', { subject: 'Hello\nBcc: eve@evil.example' }, 'subject'],
    ['a subject that is too long', { subject: 'x'.repeat(999) }, 'subject'],
    ['no recipient', { to: [] }, 'to'],
    ['no list of recipients', { to: undefined }, 'to'],
    ['a recipient that is none', { to: ['Alice'] }, 'is not a mail address'],
    ['a copy to nobody', { cc: ['<>'] }, 'is not a mail address'],
    [
      'a line break in a recipient',
      { to: ['a@b.example\r\nBcc: eve@evil.example'] },
      'is not a mail address',
    ],
    ['two recipients in one', { to: ['a@b.example, c@d.example'] }, 'is not a mail address'],
    ['two named recipients in one', { to: ['A <a@b.example>, C <c@d.example>'] }, 'is not a mail address'],
    ['two recipients in one, one named', { to: ['a@b.example, C <c@d.example>'] }, 'more than one'],
    ['two recipients in one, the first a word', { to: ['Bo, a@b.example <c@d.example>'] }, 'more than one'],
    ['a recipient with a bidi override', { to: ['a@b.elpmaxe\u202e'] }, 'is not a mail address'],
  ])('is refused with %s', (_name, change, message) => {
    const act = (): unknown => actionsOf(withFront(change), context);
    expect(act).toThrow(NoteFormatError);
    expect(act).toThrow(message);
  });

  it('is refused without words, without a draft and without a record', () => {
    expect(() => actionsOf(sampleNote({ draft: '' }), context)).toThrow('cannot be sent as it stands: text');
    expect(() => actionsOf({ front: { task: TASK, kind: 'mail' }, preface: '' }, context)).toThrow(
      'no draft to approve',
    );
    expect(() => actionsOf(sampleNote(), { ...context, mail: undefined })).toThrow('is not in the ledger');
  });
});

describe('what a new mail would do', () => {
  it('is said by the note; it answers nothing', () => {
    const note = withFront({ kind: 'email.send', subject: 'News' });
    expect(actionsOf(note, { ...context, mail: undefined })).toEqual([
      {
        kind: 'email.send',
        from: 'owner@fir.example',
        to: ['alice@pinewood.example'],
        cc: [],
        subject: 'News',
        text: 'Dear Alice,\n\nyes, at noon.',
        attachments: [],
      },
    ]);
  });
});

describe('a bare address', () => {
  it.each([
    ['a@b.example', 'a@b.example'],
    ['  a@b.example ', 'a@b.example'],
    ['Ann <a@b.example>', 'a@b.example'],
    ['<a@b.example>', 'a@b.example'],
    ['"Doe, Ann" <a@b.example> ', 'a@b.example'],
    ['a@b.example <a@b.example>', 'a@b.example'],
  ])('of %j is %j', (text, address) => {
    expect(bareAddress(text)).toBe(address);
  });

  it('is one plain address for any text, or there is none', () => {
    const parts = fc.array(
      fc.constantFrom('a@b.c', '<', '>', ',', ' ', '"', ';', 'Ann', '\r\n', '\u202e', 'x@y.z'),
    );
    fc.assert(
      fc.property(parts, (all) => {
        const text = all.join('');
        try {
          const address = bareAddress(text);
          expect(PlainAddress.safeParse(address).success).toBe(true);
          // Nothing that looks like a further recipient stands beside it.
          expect(text.replace(address, '')).not.toMatch(/[,;][^<]*@|@[^<]*[,;]/);
        } catch (error) {
          expect(error).toBeInstanceOf(NoteFormatError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
