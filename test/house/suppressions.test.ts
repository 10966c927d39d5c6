import path from 'node:path';
import { ESLint, Linter } from 'eslint';
import { describe, expect, it } from 'vitest';
import { suppressionReason } from '../../eslint/suppression-reason.mjs';

const linter = new Linter();

function messageIds(code: string): (string | undefined)[] {
  return linter
    .verify(code, {
      plugins: { house: { rules: { 'suppression-reason': suppressionReason } } },
      rules: { 'house/suppression-reason': 'error', 'no-var': 'error' },
    })
    .map(({ messageId, ruleId }) => messageId ?? ruleId ?? undefined);
}

describe('a suppression', () => {
  it.each([
    ['// eslint-disable-next-line no-var -- the fixture is of the old kind\nvar x = 1;', []],
    ['/* eslint-disable no-var -- the fixture is of the old kind */\nvar x = 1;', []],
    ['var x = 1; // eslint-disable-line no-var -- the fixture is of the old kind', []],
    ['// a comment that talks about eslint-disable is none\nlet x = 1;', []],
    ['// eslint-disable-next-line no-var\nvar x = 1;', ['reason']],
    ['// eslint-disable-next-line no-var -- why\nvar x = 1;', ['reason']],
    ['var x = 1; // eslint-disable-line no-var', ['reason']],
    ['// eslint-disable-next-line -- the fixture is of the old kind\nvar x = 1;', ['rule']],
    ['/* eslint-disable */\nvar x = 1;', ['rule', 'reason']],
    ['var x = 1; /* eslint-disable-line */', ['rule', 'reason']],
    ['// prettier-ignore\nlet x = 1;', ['reason']],
    ['// prettier-ignore -- a table reads better by columns\nlet x = 1;', []],
  ])('%j is answered with %j', (code, expected) => {
    expect(messageIds(code)).toEqual(expected);
  });

  it('is held to that by the configuration of the project, and unused ones are errors', async () => {
    const eslint = new ESLint({ cwd: path.resolve(import.meta.dirname, '../..') });
    const config = (await eslint.calculateConfigForFile('protocol/task.ts')) as Linter.Config;
    expect(config.rules?.['house/suppression-reason']).toEqual([2]);
    expect(config.rules?.['@typescript-eslint/ban-ts-comment']).toEqual([
      2,
      expect.objectContaining({ 'ts-expect-error': 'allow-with-description', 'ts-ignore': true }),
    ]);
    expect(config.linterOptions?.reportUnusedDisableDirectives).toBe(2);
  });
});
