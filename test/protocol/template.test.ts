import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NoteFormatError } from '#protocol/errors.ts';
import { chooseTemplate, fillTemplate, parseTemplate } from '#protocol/template.ts';
import type { Template, TemplateFront, TemplateSubject } from '#protocol/template.ts';

const mail: TemplateSubject = {
  subject: 'Your Invoice No. 42!',
  text: 'Please pay the invoice.\nÜber the catalogue, see below.',
  from: 'Billing@shop.example',
  language: 'en',
  hasAttachment: true,
};

function template(name: string, when?: TemplateFront['when'], priority = 0): Template {
  return { template: name, kind: 'email.reply', priority, body: name, ...(when ? { when } : {}) };
}

describe('a template', () => {
  it('is read from a note, with one word or a list of them', () => {
    const text =
      '---\ntemplate: invoice\nkind: email.reply\nwhen:\n  subject: invoice\n  from: [a@b, c]\n---\n\nHello\n\n';
    expect(parseTemplate(text)).toEqual({
      template: 'invoice',
      kind: 'email.reply',
      priority: 0,
      when: { subject: ['invoice'], from: ['a@b', 'c'] },
      body: 'Hello',
    });
  });

  it.each([
    ['no front matter', 'Hello'],
    ['no name', '---\nkind: email.reply\n---\nx'],
    ['a kind that is no answer', '---\ntemplate: a\nkind: email.send\n---\nx'],
    ['a condition that nobody knows', '---\ntemplate: a\nkind: email.reply\nwhen: {sender: x}\n---\nx'],
    ['recipients', '---\ntemplate: a\nkind: email.reply\nto: [a@b]\n---\nx'],
  ])('with %s is none', (_name, text) => {
    expect(() => parseTemplate(text)).toThrow(NoteFormatError);
  });
});

describe('the template that fits', () => {
  it.each([
    ['a word of the subject, whatever its case', { subject: ['invoice'] }, true],
    ['words in their order', { subject: ['invoice no 42'] }, true],
    ['any of several', { subject: ['nothing', 'YOUR INVOICE'] }, true],
    ['a part of a word', { text: ['cat'] }, false],
    ['a word that is not there', { subject: ['offer'] }, false],
    ['a word in another Unicode form', { text: ['u\u0308ber'] }, true],
    ['no word at all', { subject: ['!'] }, false],
    ['the address', { from: ['billing@SHOP.example'] }, true],
    ['the domain', { from: ['shop.example'] }, true],
    ['the domain with its @', { from: ['@shop.example'] }, true],
    ['a domain that the sender only ends with', { from: ['hop.example'] }, false],
    ['a domain above', { from: ['example'] }, false],
    ['nobody', { from: [''] }, false],
    ['the language', { language: ['de', 'en'] }, true],
    ['another language', { language: ['de'] }, false],
    ['an attachment', { hasAttachment: true }, true],
    ['no attachment', { hasAttachment: false }, false],
    ['all conditions', { subject: ['invoice'], from: ['shop.example'], hasAttachment: true }, true],
    ['not all conditions', { subject: ['invoice'], from: ['other.example'] }, false],
    ['no condition', {}, true],
  ])('by %s: %j is %j', (_name, when, fits) => {
    expect(chooseTemplate([template('a', when)], mail) !== undefined).toBe(fits);
  });

  it('is the one of the highest priority, then of the most conditions, then the first by name', () => {
    const one = template('one', { subject: ['invoice'] });
    const two = template('two', { subject: ['invoice'], language: ['en'] });
    const urgent = template('urgent', undefined, 1);
    const both = [template('b', { subject: ['invoice'] }), template('a', { subject: ['invoice'] })];
    expect(chooseTemplate([one, two, urgent], mail)?.template).toBe('urgent');
    expect(chooseTemplate([one, two], mail)?.template).toBe('two');
    expect(chooseTemplate(both, mail)?.template).toBe('a');
    expect(chooseTemplate([template('no', { subject: ['offer'] }, 9), one], mail)?.template).toBe('one');
    expect(chooseTemplate([], mail)).toBeUndefined();
  });

  it('does not depend on the order of the folder', () => {
    const all = ['a', 'b', 'c'].flatMap((name) => [
      template(name),
      template(`${name}2`, { language: ['en'] }),
    ]);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(chooseTemplate(shuffled, mail)?.template).toBe('a2');
      }),
    );
  });
});

describe('a filled template', () => {
  it('has the values in their places', () => {
    expect(
      fillTemplate('Dear {{name}},\n{{ greeting.text }} {{name}}', { name: 'Ann', 'greeting.text': 'hello' }),
    ).toBe('Dear Ann,\nhello Ann');
  });

  it('drops a line whose placeholder is empty or unknown, and the gap it leaves', () => {
    expect(
      fillTemplate('Dear {{name}},\n\n{{nothing}}\n\nBye {{name}} {{nothing}}\nend', { name: 'Ann' }),
    ).toBe('Dear Ann,\n\nend');
    expect(fillTemplate('Dear {{name}},\nend', { name: '' })).toBe('end');
  });

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('knows no value called %s', (name) => {
    expect(fillTemplate(`a {{${name}}}\nb`, {})).toBe('b');
  });

  it('never looks for placeholders in a value', () => {
    const nasty = fc
      .array(fc.constantFrom('{{', '}}', 'name', 'other', '$&', "$'", '$1', ' ', 'x', '{{other}}'), {
        minLength: 1,
      })
      .map((parts) => `(${parts.join('')})`);
    fc.assert(
      fc.property(nasty, nasty, (name, other) => {
        expect(fillTemplate('{{name}} and {{other}}', { name, other })).toBe(`${name} and ${other}`);
      }),
    );
  });
});
