import { describe, expect, it } from 'vitest';
import { EmployeeError } from '#protocol/errors.ts';
import { errorText } from '#local-agent/error-text.ts';
import { createOutput } from '#local-agent/output.ts';
import { displayWidth, table } from '#local-agent/table.ts';
import { visibleLine, visibleText } from '#local-agent/visible.ts';

interface Captured {
  stdout: string;
  stderr: string;
}

function outputOf(options: { json?: boolean; noColour?: boolean; debug?: boolean; isTTY?: boolean }): {
  said: Captured;
  out: ReturnType<typeof createOutput>;
} {
  const said: Captured = { stdout: '', stderr: '' };
  const sink = (name: keyof Captured): { write(text: string): void; isTTY: boolean } => ({
    isTTY: options.isTTY ?? false,
    write: (text) => {
      said[name] += text;
    },
  });
  const { json = false, noColour = false, debug = false } = options;
  return {
    said,
    out: createOutput({ stdout: sink('stdout'), stderr: sink('stderr') }, { json, noColour, debug }),
  };
}

describe('the output of a command', () => {
  it('as JSON is one document, even if an error follows the answer', () => {
    const { said, out } = outputOf({ json: true, isTTY: true });
    out.log('looking');
    out.result({ a: 1 }, () => 'never asked');
    out.error(new Error('late'));
    expect(said).toEqual({ stdout: '{"a":1}\n', stderr: 'looking\n' });
  });

  it.each([
    ['a terminal', { isTTY: true }, true],
    ['a terminal whose owner wants no colours', { isTTY: true, noColour: true }, false],
    ['a pipe', { isTTY: false }, false],
  ])('to %s has colours: %s %s', (_to, options, coloured) => {
    const { said, out } = outputOf(options);
    out.result({}, (style) => style.good('fine'));
    expect(said.stdout.includes('\u001b[')).toBe(coloured);
  });

  it('never sends control characters of others to a terminal', () => {
    const { said, out } = outputOf({ isTTY: true, noColour: true });
    out.log('from \u001b]0;title\u0007 there');
    expect(said.stderr).toBe('from ⟨U+001B⟩]0;title⟨U+0007⟩ there\n');
  });

  it('shows a trace only in debug mode', () => {
    const [quiet, loud] = [outputOf({}), outputOf({ debug: true })];
    const error = new Error('boom');
    quiet.out.error(error);
    loud.out.error(error);
    expect(quiet.said.stderr).not.toContain('output.test.ts');
    expect(loud.said.stderr).toContain('output.test.ts');
  });
});

class OursError extends EmployeeError {
  static override readonly code = 'OURS';
}

describe('an error in words', () => {
  it.each([
    ['of ours', new OursError('it is so: do that'), 'OURS', 'it is so: do that'],
    [
      'of Node with all addresses of a host refused',
      Object.assign(
        new AggregateError([
          Object.assign(new Error(), { code: 'ECONNREFUSED', address: '127.0.0.1', port: 4566 }),
        ]),
        { code: 'ECONNREFUSED' },
      ),
      'UNREACHABLE',
      '127.0.0.1:4566',
    ],
    [
      'wrapped twice',
      new Error('x', { cause: new Error('y', { cause: { code: 'ECONNRESET' } }) }),
      'UNREACHABLE',
      'ECONNRESET',
    ],
    ['of a full disk', Object.assign(new Error('write'), { code: 'ENOSPC' }), 'ENOSPC', 'the disk is full'],
    [
      'of a file that may not be read',
      Object.assign(new Error('open'), { code: 'EACCES', path: '/v/x' }),
      'EACCES',
      '/v/x: permission denied',
    ],
    [
      'of expired credentials',
      Object.assign(new Error('old'), { name: 'ExpiredTokenException' }),
      'CREDENTIALS',
      'sign in again',
    ],
    [
      'of a missing table',
      Object.assign(new Error('no table'), { name: 'ResourceNotFoundException' }),
      'STACK_MISSING',
      'employee init',
    ],
    ['nobody expected', new TypeError('x is not a function\n  at y'), 'INTERNAL', 'EMPLOYEE_DEBUG=1'],
    ['that is none', 'just text', 'INTERNAL', 'just text'],
  ])('%s', (_of, error, code, words) => {
    const said = errorText(error);
    expect(said.code).toBe(code);
    expect(said.message).toContain(words);
    expect(said.message).not.toContain('\n');
  });
});

describe('text from outside', () => {
  it.each([
    ['right-to-left override', 'a\u202eb', 'a⟨U+202E⟩b'],
    ['zero-width space and joiner', 'a\u200b\u200db', 'a⟨U+200B⟩⟨U+200D⟩b'],
    ['tag characters', 'a\u{e0041}', 'a⟨U+E0041⟩'],
    ['escape and delete', '\u001b[2J\u007f', '⟨U+001B⟩[2J⟨U+007F⟩'],
    ['carriage return', 'safe\revil', 'safe⟨U+000D⟩evil'],
    ['soft hyphen', 'pay\u00adpal', 'pay⟨U+00AD⟩pal'],
  ])('%s is made visible', (_what, text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });

  it.each(['Grüße, 日本語, مرحبا, naïve', 'line\n\tnext', '👍🏽 ok'])('%j stays as it is', (text) => {
    expect(visibleText(text)).toBe(text);
  });

  it('on a line is cut by characters, not in the middle of one', () => {
    expect(visibleLine('👍👍👍👍\n', 3)).toBe('👍👍…');
  });
});

describe('a table', () => {
  it('is aligned by what a terminal shows', () => {
    const rows = table(
      ['A', 'B'],
      [
        ['日本', 'x'],
        ['abc', 'y'],
        ['e\u0301', 'z'],
      ],
    ).split('\n');
    expect(rows.map((row) => displayWidth(row.slice(0, row.search(/[Bxyz]$/))))).toEqual([6, 6, 6, 6]);
  });

  it('does not count colours', () => {
    expect(displayWidth('\u001b[32mok\u001b[0m')).toBe(2);
  });
});
