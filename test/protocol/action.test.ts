import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Action, actionsDigest, PlainAddress } from '#protocol/action.ts';
import { oneChange, sampleAction } from './samples.ts';

describe('the digest of a plan', () => {
  it('is another one when anything of any action changes', () => {
    const plan: Action[] = [
      sampleAction(),
      { ...sampleAction(), text: 'Second.' },
      {
        kind: 'email.send',
        from: 'a@b.example',
        to: ['c@d.example'],
        cc: [],
        subject: 's',
        text: 't',
        attachments: [],
      },
    ];
    const digest = actionsDigest(plan);
    fc.assert(
      fc.property(oneChange(plan), (changed) => {
        expect(actionsDigest(changed)).not.toBe(digest);
      }),
      { numRuns: 1000 },
    );
  });

  it('is another one for each character of the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (a, b) => {
          const same =
            actionsDigest([sampleAction({ text: a })]) === actionsDigest([sampleAction({ text: b })]);
          expect(same).toBe(a === b);
        },
      ),
    );
  });

  it('does not depend on the order in which the members were written', () => {
    const action = sampleAction();
    const reordered = Object.fromEntries(Object.entries(action).reverse()) as Action;
    expect(actionsDigest([reordered])).toBe(actionsDigest([action]));
  });

  it('does not change between releases', () => {
    expect(actionsDigest([sampleAction()])).toBe(
      'd479ecb85c85854bb18b3661cabeaeb78d18416d79fc5b55cd92b12071201559',
    );
  });
});

describe('an action', () => {
  it('is read back as it was written', () => {
    expect(Action.parse(sampleAction())).toEqual(sampleAction());
  });

  it.each([
    ['no recipient', { to: [] }],
    ['no words', { text: '' }],
    ['a line break in the subject', { subject: 'Hello\r\nBcc: eve@evil.example' }],
    ['a bare line feed in the subject', { subject: 'a\nb' }],
    ['a NUL in the subject', { subject: 'a\u0000b' }],
    ['half a character in the subject', { subject: '\ud83d' }],
    ['half a character in the text', { text: '\ud83d' }],
    ['a message id that is two', { inReplyTo: '<a@b> <c@d>' }],
    ['a line break in a reference', { references: ['<a@b>\r\nBcc: <c@d>'] }],
    [
      'an attachment outside the vault',
      { attachments: [{ path: '../keys', sha256: 'a'.repeat(64), sizeBytes: 1 }] },
    ],
    ['a field that nobody knows', { bcc: ['eve@evil.example'] }],
    ['an unknown kind', { kind: 'email.forward' }],
  ])('with %s is refused', (_name, change) => {
    expect(Action.safeParse({ ...sampleAction(), ...change }).success).toBe(false);
  });
});

describe('a plain address', () => {
  it.each(['a@b', 'first.last+tag@sub.example', "o'neil@example.com", 'pelé@exämple.example'])(
    'may be %j',
    (text) => {
      expect(PlainAddress.safeParse(text).success).toBe(true);
    },
  );

  it.each([
    '',
    'a',
    '@b',
    'a@',
    'a@b@c',
    'a b@c',
    'Name <a@b>',
    'a@b,c@d',
    'a@b;c@d',
    'a@b\r\nRCPT TO:<c@d>',
    'a@b\u0001',
    '\u200ba@b',
    'a@b\u202e',
    '\ud800@b',
    `${'a'.repeat(320)}@b`,
  ])('cannot be %j', (text) => {
    expect(PlainAddress.safeParse(text).success).toBe(false);
  });
});
