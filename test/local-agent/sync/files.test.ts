import { afterEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '#protocol/canonical.ts';
import { createTwoMachines } from '#test/support/two-machines.ts';
import type { Side, Tree, TwoMachines } from '#test/support/two-machines.ts';

let machines: TwoMachines | undefined;

afterEach(() => {
  machines?.dispose();
  machines = undefined;
});

const LINES = 'one\ntwo\nthree\nfour\nfive\n';

interface Case {
  readonly name: string;
  readonly files?: Tree;
  readonly laptop?: (side: Side) => void;
  readonly desktop?: (side: Side) => void;
  /** The tree of both at the end. The copies of conflicts stand below `ours`. */
  readonly tree: Tree;
  /** Versions that were kept: path, machine, text. Laptop syncs first, so it is desktop's that has to give way. */
  readonly kept?: readonly (readonly [string, string, string])[];
}

/** `Conflicts/name (machine hash).md` */
export function copyOf(path: string, machine: string, text: string): string {
  const name = path.split('/').at(-1) ?? path;
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  return `Conflicts/${stem} (${machine} ${sha256Hex(text).slice(0, 8)})${ending}`;
}

function cases(list: readonly Case[]): void {
  it.each(list)('$name', async ({ files, laptop, desktop, tree, kept = [] }) => {
    machines = await createTwoMachines(files ?? { 'Notes/a.md': LINES, 'Notes/b.md': 'b' });
    laptop?.(machines.laptop);
    desktop?.(machines.desktop);
    const end = await machines.settle();
    const copies = kept.map(([path, machine, text]) => [copyOf(path, machine, text), text]);
    expect(end).toEqual({ ...tree, ...Object.fromEntries(copies) });
    expect([...machines.laptop.agent.session.state.conflicts.keys()].sort()).toEqual(
      copies.map(([copy]) => copy).sort(),
    );
  });
}

describe('a file on one side (FAILURES 24)', () => {
  cases([
    {
      name: 'new here',
      laptop: (s) => s.put('c.md', 'c'),
      tree: { 'Notes/a.md': LINES, 'Notes/b.md': 'b', 'c.md': 'c' },
    },
    {
      name: 'new there',
      desktop: (s) => s.put('c.md', 'c'),
      tree: { 'Notes/a.md': LINES, 'Notes/b.md': 'b', 'c.md': 'c' },
    },
    {
      name: 'edited here',
      laptop: (s) => s.put('Notes/a.md', 'A'),
      tree: { 'Notes/a.md': 'A', 'Notes/b.md': 'b' },
    },
    {
      name: 'edited there',
      desktop: (s) => s.put('Notes/a.md', 'A'),
      tree: { 'Notes/a.md': 'A', 'Notes/b.md': 'b' },
    },
    { name: 'deleted here', laptop: (s) => s.remove('Notes/a.md'), tree: { 'Notes/b.md': 'b' } },
    { name: 'deleted there', desktop: (s) => s.remove('Notes/a.md'), tree: { 'Notes/b.md': 'b' } },
    {
      name: 'emptied here',
      laptop: (s) => s.put('Notes/a.md', ''),
      tree: { 'Notes/a.md': '', 'Notes/b.md': 'b' },
    },
  ]);
});

describe('a file on both sides (FAILURES 24)', () => {
  cases([
    {
      name: 'both edit: same bytes',
      laptop: (s) => s.put('Notes/a.md', 'A'),
      desktop: (s) => s.put('Notes/a.md', 'A'),
      tree: { 'Notes/a.md': 'A', 'Notes/b.md': 'b' },
    },
    {
      name: 'both edit: disjoint lines are merged',
      laptop: (s) => s.put('Notes/a.md', LINES.replace('one', 'ONE')),
      desktop: (s) => s.put('Notes/a.md', LINES.replace('five', 'FIVE')),
      tree: { 'Notes/a.md': 'ONE\ntwo\nthree\nfour\nFIVE\n', 'Notes/b.md': 'b' },
    },
    {
      name: 'both edit: same line is a conflict, kept once on both',
      laptop: (s) => s.put('Notes/a.md', LINES.replace('one', 'ONE')),
      desktop: (s) => s.put('Notes/a.md', LINES.replace('one', 'Eins')),
      tree: { 'Notes/a.md': LINES.replace('one', 'ONE'), 'Notes/b.md': 'b' },
      kept: [['Notes/a.md', 'desktop', LINES.replace('one', 'Eins')]],
    },
    {
      name: 'edit here against delete there: the edit wins',
      laptop: (s) => s.put('Notes/a.md', 'A'),
      desktop: (s) => s.remove('Notes/a.md'),
      tree: { 'Notes/a.md': 'A', 'Notes/b.md': 'b' },
    },
    {
      name: 'delete here against edit there: the edit wins',
      laptop: (s) => s.remove('Notes/a.md'),
      desktop: (s) => s.put('Notes/a.md', 'A'),
      tree: { 'Notes/a.md': 'A', 'Notes/b.md': 'b' },
    },
    {
      name: 'both delete',
      laptop: (s) => s.remove('Notes/a.md'),
      desktop: (s) => s.remove('Notes/a.md'),
      tree: { 'Notes/b.md': 'b' },
    },
    {
      name: 'both create: same bytes',
      laptop: (s) => s.put('c.md', 'c'),
      desktop: (s) => s.put('c.md', 'c'),
      tree: { 'Notes/a.md': LINES, 'Notes/b.md': 'b', 'c.md': 'c' },
    },
    {
      name: 'both create: other bytes are a conflict',
      laptop: (s) => s.put('c.md', 'here'),
      desktop: (s) => s.put('c.md', 'there'),
      tree: { 'Notes/a.md': LINES, 'Notes/b.md': 'b', 'c.md': 'here' },
      kept: [['c.md', 'desktop', 'there']],
    },
    {
      name: 'deleted and made anew here, edited there',
      files: { 'a.md': LINES },
      laptop: (s) => s.put('a.md', LINES.replace('one', 'ONE')),
      desktop: (s) => (s.remove('a.md'), s.put('a.md', LINES.replace('five', 'FIVE'))),
      tree: { 'a.md': 'ONE\ntwo\nthree\nfour\nFIVE\n' },
    },
  ]);
});

describe('contents (FAILURES 25)', () => {
  const front = (lines: string): string => `---\n${lines}\n---\n\nbody\n`;
  cases([
    {
      name: 'front matter: other keys are merged',
      files: { 'a.md': front('x: 1\ny: 1\nz: 1') },
      laptop: (s) => s.put('a.md', front('x: 2\ny: 1\nz: 1')),
      desktop: (s) => s.put('a.md', front('x: 1\ny: 2\nz: 1')),
      tree: { 'a.md': front('x: 2\ny: 2\nz: 1') },
    },
    {
      name: 'front matter: the same key is a conflict',
      files: { 'a.md': front('x: 1') },
      laptop: (s) => s.put('a.md', front('x: 2')),
      desktop: (s) => s.put('a.md', front('x: 3')),
      tree: { 'a.md': front('x: 2') },
      kept: [['a.md', 'desktop', front('x: 3')]],
    },
    {
      name: 'CRLF here, an edit there',
      files: { 'a.md': LINES },
      laptop: (s) => s.put('a.md', LINES.replaceAll('\n', '\r\n')),
      desktop: (s) => s.put('a.md', LINES.replace('three', 'drei')),
      tree: { 'a.md': LINES.replace('three', 'drei').replaceAll('\n', '\r\n') },
    },
    {
      name: 'no final newline here, an edit there',
      files: { 'a.md': LINES },
      laptop: (s) => s.put('a.md', LINES.trimEnd()),
      desktop: (s) => s.put('a.md', LINES.replace('one', 'eins')),
      tree: { 'a.md': LINES.replace('one', 'eins').trimEnd() },
    },
    {
      name: 'a byte order mark here, an edit there',
      files: { 'a.md': LINES },
      laptop: (s) => s.put('a.md', `\ufeff${LINES}`),
      desktop: (s) => s.put('a.md', LINES.replace('three', 'drei')),
      tree: { 'a.md': `\ufeff${LINES.replace('three', 'drei')}` },
    },
    {
      name: 'emptied here, edited there is a conflict',
      files: { 'a.md': LINES },
      laptop: (s) => s.put('a.md', ''),
      desktop: (s) => s.put('a.md', LINES.replace('three', 'drei')),
      tree: { 'a.md': '' },
      kept: [['a.md', 'desktop', LINES.replace('three', 'drei')]],
    },
  ]);

  it('binary and what is not UTF-8: carried byte for byte, in a conflict both kept', async () => {
    const bytes = (last: number): Uint8Array => new Uint8Array([0, 255, 254, 13, 10, last]);
    machines = await createTwoMachines({ 'a.bin': bytes(1) });
    machines.laptop.put('a.bin', bytes(2));
    machines.desktop.put('a.bin', bytes(3));
    await machines.settle();
    const files = machines.laptop.agent.session.state.files;
    expect([...files].map(([path, { content }]) => [path, content.sha256])).toEqual([
      ['a.bin', sha256Hex(bytes(2))],
      [`Conflicts/a (desktop ${sha256Hex(bytes(3)).slice(0, 8)}).bin`, sha256Hex(bytes(3))],
    ]);
  });

  it('larger than an entry: the same, and conflicts of them as well', async () => {
    machines = await createTwoMachines({ 'a.md': 'x'.repeat(50_000) });
    machines.laptop.put('a.md', 'y'.repeat(50_000));
    machines.desktop.put('a.md', 'z'.repeat(60_000));
    const tree = await machines.settle();
    expect(
      Object.values(tree)
        .map((text) => text.slice(0, 1) + String(text.length))
        .sort(),
    ).toEqual(['y50000', 'z60000']);
  });
});

describe('names (FAILURES 26)', () => {
  const AB = { 'Notes/a.md': LINES, 'Notes/b.md': 'b' };
  cases([
    {
      name: 'rename',
      laptop: (s) => s.move('Notes/a.md', 'Notes/z.md'),
      tree: { 'Notes/z.md': LINES, 'Notes/b.md': 'b' },
    },
    {
      name: 'rename + edit',
      laptop: (s) => (s.move('Notes/a.md', 'Notes/z.md'), s.put('Notes/z.md', 'all new')),
      tree: { 'Notes/z.md': 'all new', 'Notes/b.md': 'b' },
    },
    {
      name: 'rename here against edit there: the edit follows',
      laptop: (s) => s.move('Notes/a.md', 'Other/z.md'),
      desktop: (s) => s.put('Notes/a.md', 'edited'),
      tree: { 'Other/z.md': 'edited', 'Notes/b.md': 'b' },
    },
    {
      name: 'edit here against rename there: the edit follows',
      laptop: (s) => s.put('Notes/a.md', 'edited'),
      desktop: (s) => s.move('Notes/a.md', 'Other/z.md'),
      tree: { 'Other/z.md': 'edited', 'Notes/b.md': 'b' },
    },
    {
      name: 'rename + edit against an edit of other lines: name and both edits',
      laptop: (s) => s.put('Notes/a.md', LINES.replace('one', 'ONE')),
      desktop: (s) => (s.move('Notes/a.md', 'z.md'), s.put('z.md', LINES.replace('five', 'FIVE'))),
      tree: { 'z.md': 'ONE\ntwo\nthree\nfour\nFIVE\n', 'Notes/b.md': 'b' },
    },
    {
      name: 'rename + edit against an edit of the same line: two files, nothing lost',
      laptop: (s) => s.put('Notes/a.md', 'here'),
      desktop: (s) => (s.move('Notes/a.md', 'z.md'), s.put('z.md', 'there')),
      tree: { 'Notes/a.md': 'here', 'z.md': 'there', 'Notes/b.md': 'b' },
    },
    {
      name: 'rename here against delete there: the rename wins',
      laptop: (s) => s.move('Notes/a.md', 'z.md'),
      desktop: (s) => s.remove('Notes/a.md'),
      tree: { 'z.md': LINES, 'Notes/b.md': 'b' },
    },
    {
      name: 'delete here against rename there: the rename wins',
      laptop: (s) => s.remove('Notes/a.md'),
      desktop: (s) => s.move('Notes/a.md', 'z.md'),
      tree: { 'z.md': LINES, 'Notes/b.md': 'b' },
    },
    {
      name: 'both rename: the name in the ledger stays',
      laptop: (s) => s.move('Notes/a.md', 'y.md'),
      desktop: (s) => s.move('Notes/a.md', 'z.md'),
      tree: { 'y.md': LINES, 'Notes/b.md': 'b' },
    },
    {
      name: 'both rename, one edits',
      laptop: (s) => s.move('Notes/a.md', 'y.md'),
      desktop: (s) => (s.move('Notes/a.md', 'z.md'), s.put('z.md', 'edited')),
      tree: { 'y.md': 'edited', 'Notes/b.md': 'b' },
    },
    {
      name: 'both rename to the same name',
      laptop: (s) => s.move('Notes/a.md', 'z.md'),
      desktop: (s) => s.move('Notes/a.md', 'z.md'),
      tree: { 'z.md': LINES, 'Notes/b.md': 'b' },
    },
    {
      name: 'two to one target: the second keeps its old name',
      laptop: (s) => s.move('Notes/a.md', 'z.md'),
      desktop: (s) => s.move('Notes/b.md', 'z.md'),
      tree: { 'z.md': LINES, 'Notes/b.md': 'b' },
    },
    {
      name: 'rename onto a name that is new there: the second keeps its old name',
      laptop: (s) => s.put('z.md', 'new'),
      desktop: (s) => s.move('Notes/b.md', 'z.md'),
      tree: { ...AB, 'z.md': 'new' },
    },
    {
      name: 'rename over another file',
      laptop: (s) => s.move('Notes/a.md', 'Notes/b.md'),
      tree: { 'Notes/b.md': LINES },
    },
    {
      name: 'swap A↔B',
      laptop: (s) => (
        s.move('Notes/a.md', 't'),
        s.move('Notes/b.md', 'Notes/a.md'),
        s.move('t', 'Notes/b.md')
      ),
      tree: { 'Notes/a.md': 'b', 'Notes/b.md': LINES },
    },
    {
      name: 'swap A↔B against an edit of A: the edit follows',
      laptop: (s) => s.put('Notes/a.md', 'edited'),
      desktop: (s) => (
        s.move('Notes/a.md', 't'),
        s.move('Notes/b.md', 'Notes/a.md'),
        s.move('t', 'Notes/b.md')
      ),
      tree: { 'Notes/a.md': 'b', 'Notes/b.md': 'edited' },
    },
    {
      name: 'swap A↔B on both sides',
      laptop: (s) => (
        s.move('Notes/a.md', 't'),
        s.move('Notes/b.md', 'Notes/a.md'),
        s.move('t', 'Notes/b.md')
      ),
      desktop: (s) => (
        s.move('Notes/a.md', 't'),
        s.move('Notes/b.md', 'Notes/a.md'),
        s.move('t', 'Notes/b.md')
      ),
      tree: { 'Notes/a.md': 'b', 'Notes/b.md': LINES },
    },
    {
      name: 'chain A→B→C',
      laptop: (s) => (s.move('Notes/b.md', 'Notes/c.md'), s.move('Notes/a.md', 'Notes/b.md')),
      tree: { 'Notes/b.md': LINES, 'Notes/c.md': 'b' },
    },
    {
      name: 'chain A→B→C against an edit of B: the edit follows',
      laptop: (s) => s.put('Notes/b.md', 'edited'),
      desktop: (s) => (s.move('Notes/b.md', 'Notes/c.md'), s.move('Notes/a.md', 'Notes/b.md')),
      tree: { 'Notes/b.md': LINES, 'Notes/c.md': 'edited' },
    },
    {
      name: 'chain A→B→C and a new A',
      laptop: (s) => (
        s.move('Notes/b.md', 'c.md'),
        s.move('Notes/a.md', 'Notes/b.md'),
        s.put('Notes/a.md', 'new')
      ),
      tree: { 'Notes/a.md': 'new', 'Notes/b.md': LINES, 'c.md': 'b' },
    },
    {
      name: 'an editor that renames the old version aside has moved nothing',
      laptop: (s) => (s.move('Notes/a.md', 'Notes/a.bak'), s.put('Notes/a.md', LINES.replace('one', 'ONE'))),
      desktop: (s) => s.put('Notes/a.md', LINES.replace('five', 'FIVE')),
      tree: { 'Notes/a.md': 'ONE\ntwo\nthree\nfour\nFIVE\n', 'Notes/a.bak': LINES, 'Notes/b.md': 'b' },
    },
    {
      name: 'folder rename against an added file',
      laptop: (s) => s.move('Notes', 'Archive'),
      desktop: (s) => s.put('Notes/new.md', 'new'),
      tree: { 'Archive/a.md': LINES, 'Archive/b.md': 'b', 'Notes/new.md': 'new' },
    },
    {
      name: 'file → folder',
      files: { a: 'text', 'b.md': 'b' },
      laptop: (s) => (s.move('a', 't'), s.move('t', 'a/b')),
      tree: { 'a/b': 'text', 'b.md': 'b' },
    },
    {
      name: 'folder → file',
      files: { 'a/b': 'text', 'b.md': 'b' },
      laptop: (s) => (s.move('a/b', 't'), s.remove('a'), s.move('t', 'a')),
      tree: { a: 'text', 'b.md': 'b' },
    },
    {
      name: 'a file that became a folder here and was edited there: the file makes way',
      files: { a: 'text' },
      laptop: (s) => (s.remove('a'), s.put('a/b.md', 'below')),
      desktop: (s) => s.put('a', 'edited'),
      tree: { 'a/b.md': 'below', [`a (file ${sha256Hex('edited').slice(0, 8)})`]: 'edited' },
    },
    {
      name: 'a folder here and a new file of that name there: the file makes way',
      laptop: (s) => s.put('x/y.md', 'below'),
      desktop: (s) => s.put('x', 'file'),
      tree: { ...AB, 'x/y.md': 'below', [`x (file ${sha256Hex('file').slice(0, 8)})`]: 'file' },
    },
    {
      name: 'a new file here and a folder of that name there: the file makes way',
      laptop: (s) => s.put('x', 'file'),
      desktop: (s) => s.put('x/y.md', 'below'),
      tree: { ...AB, 'x/y.md': 'below', [`x (file ${sha256Hex('file').slice(0, 8)})`]: 'file' },
    },
    {
      name: 'a folder that became a file here, with an edit below it there',
      files: { 'a/x.md': 'x', 'a/y.md': 'y', b: 'b' },
      laptop: (s) => (s.remove('a'), s.put('a', 'file')),
      desktop: (s) => s.put('a/x.md', 'edited'),
      tree: { 'a/x.md': 'edited', [`a (file ${sha256Hex('file').slice(0, 8)})`]: 'file', b: 'b' },
    },
    {
      name: 'from the shared part to the private one',
      files: { 'Templates/a.md': LINES, 'b.md': 'b' },
      laptop: (s) => s.move('Templates/a.md', 'Notes/a.md'),
      tree: { 'Notes/a.md': LINES, 'b.md': 'b' },
    },
    {
      name: 'from the private part to the shared one, against an edit: the edit follows',
      files: { 'Notes/a.md': LINES, 'b.md': 'b' },
      laptop: (s) => s.put('Notes/a.md', 'edited'),
      desktop: (s) => s.move('Notes/a.md', 'Templates/a.md'),
      tree: { 'Templates/a.md': 'edited', 'b.md': 'b' },
    },
    {
      name: 'swap across the parts',
      files: { 'Notes/a.md': LINES, 'Templates/b.md': 'b' },
      laptop: (s) => (
        s.move('Notes/a.md', 't'),
        s.move('Templates/b.md', 'Notes/a.md'),
        s.move('t', 'Templates/b.md')
      ),
      tree: { 'Notes/a.md': 'b', 'Templates/b.md': LINES },
    },
    {
      name: 'case-only rename',
      laptop: (s) => s.move('Notes/a.md', 'Notes/A.md'),
      tree: { 'Notes/A.md': LINES, 'Notes/b.md': 'b' },
    },
    {
      name: 'case-only rename of a folder, with an edit there',
      laptop: (s) => s.move('Notes', 'notes'),
      desktop: (s) => s.put('Notes/b.md', 'edited'),
      tree: { 'notes/a.md': LINES, 'notes/b.md': 'edited' },
    },
    {
      name: 'equal files that are renamed',
      files: { '1.md': 'same', '2.md': 'same', '3.md': 'other' },
      laptop: (s) => (s.move('1.md', 'x/1.md'), s.move('2.md', 'x/2.md')),
      desktop: (s) => s.put('3.md', 'edited'),
      tree: { 'x/1.md': 'same', 'x/2.md': 'same', '3.md': 'edited' },
    },
  ]);

  it('twins in case: the second stays here and is listed, and nothing is deleted because of it', async () => {
    machines = await createTwoMachines({ 'b.md': 'b' });
    const { laptop, desktop } = machines;
    laptop.put('Readme.md', 'first');
    await laptop.sync();
    desktop.put('README.md', 'second');
    for (let i = 0; i < 3; i++) {
      const report = await desktop.sync();
      expect(report.withheld).toEqual([
        {
          path: 'README.md',
          why: expect.stringContaining('differs from that of Readme.md only in case') as string,
        },
      ]);
      await laptop.sync();
    }
    expect(desktop.tree()).toEqual({ 'Readme.md': 'first', 'README.md': 'second', 'b.md': 'b' });
    expect(laptop.tree()).toEqual({ 'Readme.md': 'first', 'b.md': 'b' });
    desktop.move('README.md', 'Read me too.md');
    expect(await machines.settle()).toEqual({
      'Readme.md': 'first',
      'Read me too.md': 'second',
      'b.md': 'b',
    });
  });

  it('a rename to a twin of another name is undone and explained', async () => {
    machines = await createTwoMachines({ 'a.md': 'a', 'b.md': 'b' });
    const { laptop, desktop } = machines;
    laptop.move('a.md', 'New.md');
    await laptop.sync();
    desktop.move('b.md', 'NEW.md');
    const { explained } = await desktop.sync();
    expect(explained.join()).toContain(
      'NEW.md: that name was taken elsewhere; the file is called b.md again',
    );
    expect(await machines.settle()).toEqual({ 'New.md': 'a', 'b.md': 'b' });
  });

  it('a folder spelled like a shared one in other letters stays here and is listed', async () => {
    machines = await createTwoMachines({ 'b.md': 'b' });
    machines.laptop.put('templates/a.md', 'a');
    const { withheld } = await machines.laptop.sync();
    expect(withheld).toMatchObject([
      { path: 'templates/a.md', why: expect.stringContaining('Templates') as string },
    ]);
    await machines.desktop.sync();
    expect(machines.desktop.tree()).toEqual({ 'b.md': 'b' });
  });
});
