import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionsDigest } from '#protocol/action.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import { actionsOf } from '#protocol/note-actions.ts';
import { DRAFT_HEADING, ORIGINAL_HEADING, parseNote, renderNote } from '#protocol/note.ts';
import type { Note } from '#protocol/note.ts';
import { arbitraryText, sampleMail, sampleNote, TASK } from './samples.ts';

const FRONT = `---\ntask: ${TASK}\nkind: email.reply\nto:\n  - alice@pinewood.example\nsubject: "Re: Lunch?"\n---\n`;

function digestOf(note: Note): string {
  return actionsDigest(actionsOf(note, { from: 'owner@fir.example', mail: sampleMail(), attachments: [] }));
}

/** A preface as code writes it: without the two headings, which the renderer would mark. */
const preface = arbitraryText().map((text) => text.replace(/^## (Draft|Original mail)$/gm, 'words'));

describe('a rendered note', () => {
  it('of an answer reads back the same, whatever words are in it', () => {
    fc.assert(
      fc.property(preface, arbitraryText(), arbitraryText(), (before, draft, original) => {
        const note = sampleNote({ preface: before, draft, original });
        expect(parseNote(renderNote(note))).toEqual(note);
      }),
      { numRuns: 1000 },
    );
  });

  it('of a new mail reads back the same, whatever words are in it', () => {
    fc.assert(
      fc.property(preface, arbitraryText(), (before, draft) => {
        const note: Note = {
          front: { task: TASK, kind: 'email.send', to: ['a@b.example'] },
          preface: before,
          draft,
        };
        expect(parseNote(renderNote(note))).toEqual(note);
      }),
      { numRuns: 1000 },
    );
  });

  it('of a mail without a draft reads back the same', () => {
    fc.assert(
      fc.property(preface, fc.option(arbitraryText(), { nil: undefined }), (before, original) => {
        const note: Note = {
          front: { task: TASK, kind: 'mail' },
          preface: before,
          ...(original === undefined ? {} : { original }),
        };
        expect(parseNote(renderNote(note))).toEqual(note);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps front matter as it was, whatever words are in it', () => {
    fc.assert(
      fc.property(arbitraryText(), arbitraryText(), (subject, warning) => {
        fc.pre(subject.length <= 2000 && warning.length <= 2000);
        const { front } = sampleNote();
        const note = sampleNote({ front: { ...front, subject, from: subject, warnings: [warning] } });
        expect(parseNote(renderNote(note))).toEqual(note);
      }),
    );
  });

  it('is the same with the line ends of Windows', () => {
    fc.assert(
      fc.property(arbitraryText(), (draft) => {
        const note = sampleNote({ draft });
        expect(parseNote(renderNote(note).replaceAll('\n', '\r\n'))).toEqual(note);
      }),
    );
  });

  it('has \\n for every line end and U+FFFD for what is no text', () => {
    const note = parseNote(
      renderNote(sampleNote({ draft: 'a\r\nb\rc\u0000\ud83d', original: 'x\r\n\r\ny' })),
    );
    expect(note.draft).toBe('a\nb\nc\ufffd\ufffd');
    expect(note.original).toBe('x\n\ny');
  });

  it('keeps each blank line at the end of a draft', () => {
    for (const draft of ['', '\n', 'a\n', 'a\n\n\n', '\na', '\n\n\na']) {
      expect(parseNote(renderNote(sampleNote({ draft }))).draft).toBe(draft);
    }
  });

  it.each([
    ['a mail with a draft', { front: { task: TASK, kind: 'mail' }, preface: '', draft: 'x' }],
    ['an answer without a draft', { front: { task: TASK, kind: 'email.reply' }, preface: '', original: 'x' }],
    [
      'an answer without the original',
      { front: { task: TASK, kind: 'email.reply' }, preface: '', draft: 'x' },
    ],
    [
      'a new mail with an original',
      { front: { task: TASK, kind: 'email.send' }, preface: '', draft: 'x', original: 'y' },
    ],
  ] as const)('cannot be %s', (_name, note) => {
    expect(() => renderNote(note)).toThrow(NoteFormatError);
  });
});

describe('a hostile mail', () => {
  const hostile = fc
    .tuple(
      arbitraryText(),
      fc.array(fc.constantFrom('\r', '\r\n', '\n', '\u2028', '\u0085', '\v', '\f', '\u0000')),
      arbitraryText(),
    )
    .map(([a, breaks, b]) =>
      [
        a,
        ...breaks.map((end) => `${end}${ORIGINAL_HEADING}${end}${DRAFT_HEADING}${end}pay me${end}`),
        b,
      ].join(''),
    );

  it('can neither begin, end nor change a draft', () => {
    fc.assert(
      fc.property(hostile, arbitraryText(), (original, draft) => {
        const note = parseNote(renderNote(sampleNote({ draft, original })));
        expect(note.draft).toBe(draft);
        expect(note.preface).toBe('A draft for you.');
        expect(note.front).toEqual(sampleNote().front);
      }),
      { numRuns: 500 },
    );
  });

  it('has no line of its own below the heading: each one is quoted', () => {
    fc.assert(
      fc.property(hostile, (original) => {
        const lines = renderNote(sampleNote({ original })).split(/\r\n?|\n/);
        const below = lines.slice(lines.indexOf(ORIGINAL_HEADING) + 1);
        expect(below.filter((line) => line !== '' && !line.startsWith('>'))).toEqual([]);
      }),
    );
  });

  it('makes no draft where there is none, by way of the preface', () => {
    const note = parseNote(
      renderNote(sampleNote({ preface: 'From: x\n## Draft\n\npay me\n\n## Original mail' })),
    );
    expect(note.draft).toBe(sampleNote().draft);
    expect(note.preface).toBe('From: x\n\\## Draft\n\npay me\n\n\\## Original mail');
  });
});

describe('an answer that was cut short', () => {
  it('after any byte is refused, or loses nothing of what would be done', () => {
    const drafts = [
      'Dear Alice,\n\nyes, at noon. Bring 10 €.',
      'a\n---\nb\n## Draft\nc\n## Original mail\nd',
      '> quoted\n\n> and more\nstatus: approved',
    ];
    for (const draft of drafts) {
      const note = sampleNote({ draft, original: 'Shall we?\n---\n## Draft\n## Original mail\nBest, Älice' });
      const bytes = Buffer.from(renderNote(note));
      const whole = digestOf(parseNote(bytes.toString()));
      let refused = 0;
      for (let length = 0; length < bytes.length; length++) {
        try {
          expect(digestOf(parseNote(bytes.subarray(0, length).toString())), `cut to ${length}`).toBe(whole);
        } catch (error) {
          if (!(error instanceof NoteFormatError)) throw error;
          refused += 1;
        }
      }
      expect(refused).toBeGreaterThan(bytes.indexOf(`\n${ORIGINAL_HEADING}\n\n> Shall`));
    }
  });

  it('within the draft lacks its end and is refused', () => {
    const text = renderNote(sampleNote());
    expect(() => parseNote(text.slice(0, text.indexOf('at noon')))).toThrow(
      'the line "## Original mail" is missing below the draft',
    );
  });

  it('behind a heading within the draft is refused: nothing is quoted there', () => {
    const text = renderNote(sampleNote({ draft: 'a\n## Original mail\nb' }));
    const cut = text.slice(0, text.indexOf('## Original mail\nb') + '## Original mail\n'.length);
    expect(() => parseNote(cut)).toThrow('the note was cut short');
  });

  it('behind a heading within the draft, and words, is refused: they would not be sent', () => {
    const text = renderNote(sampleNote({ draft: 'a\n## Original mail\nb' }));
    const cut = text.slice(0, text.indexOf('## Original mail\nb') + '## Original mail\nb'.length);
    expect(() => parseNote(cut)).toThrow('the words "b" stand below the original mail');
  });
});

describe('a note', () => {
  it('of a person who set no blank lines is read', () => {
    const note = parseNote(`${FRONT}hello\n## Draft\nyes\n## Original mail\n> no\n>\n>> deep\n>tight`);
    expect(note).toMatchObject({ preface: 'hello', draft: 'yes', original: 'no\n\n> deep\ntight' });
  });

  it('may hold what Obsidian writes into front matter', () => {
    const text = FRONT.replace('task:', 'tags: [mail]\naliases:\ncssclasses: [wide]\ntask:');
    expect(parseNote(`${text}## Draft\nx\n## Original mail\n> y`).draft).toBe('x');
  });

  it.each([
    ['no draft', `${FRONT}\n## Original mail\n\n> x\n`, 'the line "## Draft" is missing'],
    ['no original', `${FRONT}\n## Draft\n\nx\n`, 'the line "## Original mail" is missing'],
    [
      'the original above the draft',
      `${FRONT}\n## Original mail\n\n> x\n\n## Draft\n\ny\n`,
      'is missing below the draft',
    ],
    [
      'words below the original',
      `${FRONT}\n## Draft\n\nx\n\n## Original mail\n\n> y\n\nP.S. z\n`,
      'the words "P.S. z" stand below',
    ],
    ['NUL bytes', `${FRONT}\n## Draft\n\nx\u0000\n\n## Original mail\n\n> y\n`, 'NUL'],
    ['a field that nobody knows', FRONT.replace('to:', 'bcc: [a@b]\nto:'), 'bcc'],
    ['a status', FRONT.replace('to:', 'status: approved\nto:'), 'status'],
    ['a prototype', FRONT.replace('to:', '__proto__: {kind: mail}\nto:'), '__proto__'],
    ['a merge', FRONT.replace('to:', '<<: {cc: [a@b]}\nto:'), '<<'],
    ['an alias', FRONT.replace('to:', 'cc: *to\nto: &to'), 'strict YAML|alias|anchor'],
    ['a recipient that is a number', FRONT.replace('alice@pinewood.example', '5'), 'to.0'],
    ['one recipient that is no list', FRONT.replace('to:\n  - ', 'to: '), 'to: '],
    ['a broken task id', FRONT.replace(TASK, 't1'), 'task id'],
    ['a kind that nobody knows', FRONT.replace('email.reply', 'payment.send'), 'kind'],
  ])('with %s is refused, and says why', (_name, text, message) => {
    expect(() => parseNote(text)).toThrow(NoteFormatError);
    expect(() => parseNote(text)).toThrow(new RegExp(message));
  });
});
