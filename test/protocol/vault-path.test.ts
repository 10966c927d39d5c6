import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TASK_STATES } from '#protocol/task.ts';
import {
  badFileName,
  foldName,
  folderOf,
  noteName,
  NoteName,
  ringOf,
  TASK_FOLDERS,
  taskFolderOf,
  VaultPath,
} from '#protocol/vault-path.ts';
import { OTHER_TASK, TASK } from './samples.ts';

const BAD_NAMES = [
  '',
  '.',
  '..',
  'a\u0000.md',
  'a\n.md',
  'a\u0085.md',
  'a\\b',
  'C:',
  'a:b',
  'what?',
  'a*',
  'a|b',
  '<a>',
  '"a"',
  'CON',
  'con.md',
  'Nul.tar.gz',
  'com1',
  'LPT9.md',
  'com¹',
  'CONIN$',
  'dot.',
  'space ',
  ' space',
  'a\u202egnp.md',
  'a\u2066b',
  'a\u061cb',
  'zero\u200bwidth',
  'bom\ufeff',
  'line\u2028end',
  'e\u0301.md',
  '\u212b.md',
  'half\ud83d.md',
  '\udc00',
  'é'.repeat(121),
];

describe('a path inside the vault', () => {
  it.each([
    'Handbook.md',
    'Notes/2026/Über uns.md',
    'a/b/c/d',
    '.obsidian/app.json',
    'コピー/文書.md',
    'a b',
    'é.md',
    '😀.md',
    'CONfig',
  ])('may be %j', (path) => {
    expect(VaultPath.safeParse(path).success).toBe(true);
  });

  it.each([
    '/etc/passwd',
    '../x',
    'a/../../x',
    'a/..',
    './a',
    'a/./b',
    'a//b',
    'a/',
    '..\\x',
    'C:\\x',
    'C:/x',
    'a/\u0000/b',
    '//server/share',
    'a/aux/b',
    `${'a/'.repeat(500)}a`,
  ])('cannot be %j', (path) => {
    expect(VaultPath.safeParse(path).success).toBe(false);
  });

  it.each(BAD_NAMES)('has no segment %j', (name) => {
    expect(badFileName(name)).toBeDefined();
    expect(VaultPath.safeParse(name).success).toBe(false);
    expect(VaultPath.safeParse(`Notes/${name}`).success).toBe(false);
    expect(VaultPath.safeParse(`${name}/a.md`).success).toBe(false);
  });

  it('never leaves the vault, whatever text passes', () => {
    const part = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.constantFrom('..', '.', '', '/', '\\', 'a'),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const path = parts.join('/');
        fc.pre(VaultPath.safeParse(path).success);
        const { pathname } = new URL(path.split('/').map(encodeURIComponent).join('/'), 'file:///vault/');
        expect(decodeURIComponent(pathname)).toBe(`/vault/${path}`);
      }),
    );
  });
});

describe("a note's name", () => {
  it.each(['a.md', '2026-11-21 Re Lunch (t3f9c1a2).md'])('may be %j', (name) => {
    expect(NoteName.safeParse(name).success).toBe(true);
  });

  it.each(['a', 'a.MD', 'a/b.md', '../a.md', ...BAD_NAMES])('cannot be %j', (name) => {
    expect(NoteName.safeParse(name).success).toBe(false);
  });

  it('is made of any subject', () => {
    const subject = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      // Any UTF-16 units at all, halves of pairs included.
      fc.array(fc.nat({ max: 0xffff })).map((units) => String.fromCharCode(...units)),
      fc
        .array(fc.constantFrom(...BAD_NAMES, '/', '../', '\u0301', '\u200d', ' ', '.'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(subject, (text) => {
        const name = noteName({ taskId: TASK, subject: text, at: '2026-11-21T08:00:00.000Z' });
        expect(NoteName.safeParse(name).error?.message).toBeUndefined();
        expect(name).toMatch(/^2026-11-21 .*\(t3f9c1a2\)\.md$/u);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps what a person wrote, as far as it can stand in a name', () => {
    const at = '2026-11-21T08:00:00.000Z';
    expect(noteName({ taskId: TASK, subject: 'Re: Lunch?', at })).toBe('2026-11-21 Re Lunch (t3f9c1a2).md');
    expect(noteName({ taskId: TASK, subject: '請求書 No. 5', at })).toBe(
      '2026-11-21 請求書 No. 5 (t3f9c1a2).md',
    );
    expect(noteName({ taskId: TASK, subject: '...', at })).toBe('2026-11-21 (t3f9c1a2).md');
    expect(noteName({ taskId: OTHER_TASK, subject: 'Re: Lunch?', at })).toBe(
      '2026-11-21 Re Lunch (tabcdef0).md',
    );
  });
});

describe('the folder of a task', () => {
  const expected = {
    received: undefined,
    needs_action: 'Needs_Action',
    drafting: 'In_Progress/laptop',
    pending_approval: 'Pending_Approval',
    approved: 'Approved',
    executing: 'In_Progress/laptop',
    done: 'Done',
    ignored: undefined,
    rejected: 'Rejected',
    quarantined: 'Needs_Attention',
    failed: 'Needs_Attention',
    indeterminate: 'Needs_Attention',
  };

  it.each(TASK_STATES)('that is %s is one of the task folders, or none', (state) => {
    const folder = folderOf({ state, owner: 'laptop' });
    expect(folder).toBe(expected[state]);
    if (folder !== undefined) expect(taskFolderOf(`${folder}/a.md`)).toBe(folder.split('/')[0]);
  });

  it('is Approved for an approved task alone', () => {
    expect(TASK_STATES.filter((state) => folderOf({ state }) === 'Approved')).toEqual(['approved']);
  });

  it.each([
    'approved/x.md',
    'APPROVED/x.md',
    'Approved',
    'Need\u017f_Action/x.md',
    'Rejected/a/b.md',
    'In_Progress/x/y.md',
  ])('is recognised in %j, as a file system would that ignores case', (path) => {
    expect(TASK_FOLDERS).toContain(taskFolderOf(path));
  });

  it.each(['Approvedx/a.md', 'Notes/Approved/a.md', 'Handbook.md', ''])('is not seen in %j', (path) => {
    expect(taskFolderOf(path)).toBeUndefined();
  });
});

describe('the ring of a path', () => {
  it.each(['Handbook.md', 'Templates/a.md', 'Schedules/a/b.md', 'Briefings/2026-11-21.md'])(
    'is shared for %s',
    (path) => {
      expect(ringOf(path)).toBe('shared');
    },
  );

  it.each([
    'Policy.yaml',
    'Notes/a.md',
    'handbook.md',
    'Notes/Templates/a.md',
    'Templates',
    'Templatesx/a.md',
    'a/Handbook.md',
  ])('is private for %s', (path) => {
    expect(ringOf(path)).toBe('private');
  });
});

describe('names as file systems fold them', () => {
  it.each([
    ['A.md', 'a.md'],
    ['e\u0301.md', '\u00e9.MD'],
    ['straße.md', 'STRASSE.md'],
    ['\u017fecret.md', 'Secret.md'],
    ['ΟΔΟΣ.md', 'οδος.md'],
    ['STRAẞE.md', 'strasse.md'],
    ['\u212a.md', 'k.md'],
  ])('%j and %j are one', (a, b) => {
    expect(foldName(a)).toBe(foldName(b));
  });

  it('do not change when folded again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        expect(foldName(foldName(name))).toBe(foldName(name));
        expect(foldName(name.normalize('NFD'))).toBe(foldName(name));
      }),
    );
  });
});
