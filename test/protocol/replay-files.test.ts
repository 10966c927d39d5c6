import { describe, expect, it } from 'vitest';
import type { FileChange } from '#protocol/ledger-body.ts';
import type { EntryDraft } from '#protocol/ledger-entry.ts';
import type { Ring } from '#protocol/seal.ts';
import { TASK_FOLDERS } from '#protocol/vault-path.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import { noteRef } from './samples.ts';
import { refusalOf } from './scene.ts';

const [one, two] = [noteRef('one').content, noteRef('two').content];
const [A, B] = [one.sha256, two.sha256];

function files(ring: Ring, ...changes: FileChange[]): EntryDraft {
  return { ring, body: { kind: 'files', changes } };
}

function put(path: string, content = one, base?: string): FileChange {
  return { op: 'put', path, content, ...(base === undefined ? {} : { base }) };
}

describe('a file of the vault', () => {
  it('is put, changed, moved and deleted, each upon the bytes that stood there', () => {
    const factory = createLedgerFactory();
    const contents = (): [string, string][] =>
      [...factory.replay().files].map(([path, { content }]) => [path, content.sha256]);
    factory.append(files('private', put('Notes/a.md')));
    expect(contents()).toEqual([['Notes/a.md', A]]);
    factory.append(files('private', put('Notes/a.md', two, A)), factory.other);
    expect(contents()).toEqual([['Notes/a.md', B]]);
    factory.append(files('private', { op: 'move', path: 'Notes/a.md', to: 'Notes/b.md', base: B }));
    expect(contents()).toEqual([['Notes/b.md', B]]);
    factory.append(files('private', { op: 'delete', path: 'Notes/b.md', base: B }));
    expect(contents()).toEqual([]);
    expect(factory.replay().refusals).toEqual([]);
  });

  it.each([
    ['put as new, though it is there', put('Notes/a.md', two)],
    ['put upon other bytes', put('Notes/a.md', two, B)],
    ['put upon bytes, though it is not there', put('Notes/b.md', two, A)],
    ['moved with other bytes', { op: 'move', path: 'Notes/a.md', to: 'Notes/b.md', base: B }],
    ['moved, though it is not there', { op: 'move', path: 'Notes/b.md', to: 'Notes/d.md', base: A }],
    ['moved onto another', { op: 'move', path: 'Notes/a.md', to: 'Notes/c.md', base: A }],
    ['moved onto itself', { op: 'move', path: 'Notes/a.md', to: 'Notes/a.md', base: A }],
    ['deleted with other bytes', { op: 'delete', path: 'Notes/a.md', base: B }],
    ['deleted, though it is not there', { op: 'delete', path: 'Notes/b.md', base: A }],
  ] satisfies [string, FileChange][])('cannot be %s: that is late', (_name, change) => {
    const factory = createLedgerFactory();
    factory.append(files('private', put('Notes/a.md'), put('Notes/c.md')));
    expect(refusalOf(factory, files('private', change))).toMatchObject({
      severity: 'late',
      code: 'stale-base',
    });
  });

  it.each(TASK_FOLDERS)('cannot be written into %s past its task, by neither zone', (folder) => {
    for (const path of [`${folder}/a.md`, `${folder.toUpperCase()}/a.md`, `${folder}/sub/a.md`, folder]) {
      const factory = createLedgerFactory();
      factory.append(files('private', put('Notes/a.md')));
      for (const ring of ['shared', 'private'] as const) {
        expect(refusalOf(factory, files(ring, put(path)))).toMatchObject({
          severity: 'incident',
          code: 'zone',
        });
      }
      expect(refusalOf(factory, files('shared', put(path)), factory.cloud)).toMatchObject({
        severity: 'incident',
        code: 'zone',
      });
      const move: FileChange = { op: 'move', path: 'Notes/a.md', to: path, base: A };
      expect(refusalOf(factory, files('private', move))).toMatchObject({
        severity: 'incident',
        code: 'zone',
      });
    }
  });

  it.each([
    'Handbook.md',
    'Templates/a.md',
    'Schedules/a.md',
    'Policy.yaml',
    'Notes/a.md',
    'Briefings',
    'briefings/a.md',
    'Conflicts/a.md',
  ])('called %s is closed to the cloud', (path) => {
    const factory = createLedgerFactory();
    factory.append(files('shared', put('Briefings/x.md')), factory.cloud);
    expect(refusalOf(factory, files('shared', put(path)), factory.cloud)).toMatchObject({
      severity: 'incident',
      code: 'zone',
    });
    const move: FileChange = { op: 'move', path: 'Briefings/x.md', to: path, base: A };
    expect(refusalOf(factory, files('shared', move), factory.cloud)).toMatchObject({
      severity: 'incident',
      code: 'zone',
    });
  });

  it('of the owner cannot be deleted or moved away by the cloud', () => {
    const factory = createLedgerFactory();
    factory.append(files('shared', put('Handbook.md')));
    for (const change of [
      { op: 'delete', path: 'Handbook.md', base: A },
      { op: 'move', path: 'Handbook.md', to: 'Briefings/h.md', base: A },
      { op: 'put', path: 'Handbook.md', base: A, content: two },
    ] satisfies FileChange[]) {
      expect(refusalOf(factory, files('shared', change), factory.cloud)).toMatchObject({
        severity: 'incident',
        code: 'zone',
      });
    }
  });

  it('in Briefings is open to the cloud', () => {
    const factory = createLedgerFactory();
    expect(
      refusalOf(factory, files('shared', put('Briefings/2026-11-21.md')), factory.cloud),
    ).toBeUndefined();
  });

  it.each([
    ['Notes/a.md', 'shared'],
    ['Handbook.md', 'private'],
    ['Briefings/a.md', 'private'],
  ] as const)('called %s cannot be sealed with the %s key', (path, ring) => {
    expect(refusalOf(createLedgerFactory(), files(ring, put(path)))).toMatchObject({
      severity: 'incident',
      code: 'zone',
    });
  });

  it('cannot move from one ring to the other', () => {
    const factory = createLedgerFactory();
    factory.append(files('private', put('Notes/a.md')));
    for (const ring of ['shared', 'private'] as const) {
      const move: FileChange = { op: 'move', path: 'Notes/a.md', to: 'Templates/a.md', base: A };
      expect(refusalOf(factory, files(ring, move))).toMatchObject({ severity: 'incident', code: 'zone' });
    }
  });

  it('that is refused stops none of the others in its entry', () => {
    const factory = createLedgerFactory();
    factory.append(
      files('private', put('Approved/x.md'), put('Notes/a.md'), put('Notes/a.md'), put('Notes/b.md')),
    );
    const state = factory.replay();
    expect([...state.files.keys()]).toEqual(['Notes/a.md', 'Notes/b.md']);
    expect(state.refusals.map(({ severity }) => severity)).toEqual(['incident', 'late']);
  });
});

describe('the changes of one entry', () => {
  const move = (path: string, to: string, base: string): FileChange => ({ op: 'move', path, to, base });
  const start = (): ReturnType<typeof createLedgerFactory> => {
    const factory = createLedgerFactory();
    factory.append(files('private', put('a'), put('b', two), put('x/y')));
    return factory;
  };

  it.each<[string, FileChange[], Record<string, string>]>([
    ['two files change places', [move('a', 'b', A), move('b', 'a', B)], { a: B, b: A, 'x/y': A }],
    ['a chain', [move('a', 'b', A), move('b', 'c', B)], { b: A, c: B, 'x/y': A }],
    [
      'a chain, its end first, and a new file at its beginning',
      [move('b', 'c', B), move('a', 'b', A), put('a', two)],
      { a: B, b: A, c: B, 'x/y': A },
    ],
    [
      'a file in the place of a folder',
      [{ op: 'delete', path: 'x/y', base: A }, put('x', two)],
      { a: A, b: B, x: B },
    ],
    [
      'a folder in the place of a file',
      [put('a/b', two), { op: 'delete', path: 'a', base: A }],
      { b: B, 'x/y': A, 'a/b': B },
    ],
    ['a file into a folder of its own name', [move('a', 'a/a', A)], { b: B, 'x/y': A, 'a/a': A }],
    ['a name in other letters', [move('a', 'A', A)], { A, b: B, 'x/y': A }],
    ['a move with an edit', [{ ...move('a', 'c', A), content: two } as FileChange], { b: B, c: B, 'x/y': A }],
  ])('are applied together: %s', (_name, changes, tree) => {
    const factory = start();
    const before = factory.replay();
    factory.append(files('private', ...changes));
    const state = factory.replay();
    expect(state.refusals).toEqual([]);
    expect(Object.fromEntries([...state.files].map(([path, { content }]) => [path, content.sha256]))).toEqual(
      tree,
    );
    for (const change of changes) {
      if (change.op === 'move')
        expect(state.files.get(change.to)?.id).toBe(before.files.get(change.path)?.id);
    }
    expect(new Set([...state.files.values()].map(({ id }) => id)).size).toBe(state.files.size);
  });

  it.each<[string, FileChange[], string[]]>([
    ['one of a swap that is late stops the other', [move('a', 'b', A), move('b', 'a', A)], ['late', 'late']],
    ['a twin in case', [put('B', one)], ['late']],
    ['two twins in one entry', [put('n', one), put('N', two)], ['late']],
    ['a file below a file', [put('a/b', one)], ['late']],
    ['a file in the place of a folder', [put('X', one)], ['late']],
    ['two changes of one file', [put('a', two, A), { op: 'delete', path: 'a', base: A }], ['late']],
    [
      'a place that a file was to leave, which stays',
      [put('x', one), { op: 'delete', path: 'x/y', base: B }],
      ['late', 'late'],
    ],
    ['a hidden file', [put('.git/hooks/post-commit', one)], ['incident']],
    ['a shared folder in other letters', [put('templates/a.md', one)], ['incident']],
    ['a shared folder as a file', [put('Templates', one)], ['incident']],
  ])('are refused where they clash: %s', (_name, changes, severities) => {
    const factory = start();
    factory.append(files('private', ...changes));
    expect(factory.replay().refusals.map(({ severity }) => severity)).toEqual(severities);
  });

  it('have the same effect for a reader that begins at any entry', () => {
    const factory = start();
    factory.append(files('private', move('a', 'b', A), move('b', 'c', B)));
    const reader = factory.session(factory.local, createLedgerFactory().store());
    for (const entry of factory.entries) reader.admit(entry);
    factory.append(files('private', put('C', one), put('a', one)));
    reader.admit(factory.entries.at(-1));
    expect([...reader.state.files]).toEqual([...factory.replay().files]);
    expect(reader.state.refusals).toEqual(factory.replay().refusals);
    expect(reader.state.refusals).toHaveLength(1);
  });
});

describe('a conflict', () => {
  const COPY = 'Conflicts/a (laptop 12345678).md';
  const conflict = (copy = COPY): EntryDraft => ({
    ring: 'private',
    body: { kind: 'conflict', path: 'a.md', copy, content: two, theirs: A },
  });
  const settle = (choice: 'ours' | 'theirs' | 'both'): EntryDraft => ({
    ring: 'private',
    body: { kind: 'override', reason: 'r', what: { of: 'conflict', copy: COPY, choice } },
  });

  it('is open from its entry on, once', () => {
    const factory = createLedgerFactory();
    factory.append(files('private', put('a.md')));
    factory.append(conflict());
    expect([...factory.replay().conflicts.keys()]).toEqual([COPY]);
    expect(refusalOf(factory, conflict())).toMatchObject({ severity: 'late', code: 'duplicate' });
    expect(refusalOf(factory, conflict(COPY.toUpperCase().replace('CONFLICTS', 'Conflicts')))).toMatchObject({
      severity: 'late',
    });
    expect(refusalOf(factory, { ...conflict(), ring: 'shared' }, factory.cloud)).toMatchObject({
      severity: 'incident',
    });
  });

  it.each([
    ['ours', false],
    ['theirs', false],
    ['both', true],
  ] as const)('is settled by the choice of %s, with which its copy goes or stays', (choice, stays) => {
    const factory = createLedgerFactory();
    factory.append(conflict());
    factory.append(settle(choice));
    const state = factory.replay();
    expect(state.conflicts.size).toBe(0);
    expect(state.files.has(COPY)).toBe(stays);
    expect(refusalOf(factory, settle(choice))).toMatchObject({ severity: 'late', code: 'duplicate' });
  });

  it('keeps a copy that was worked on, whatever is chosen', () => {
    const factory = createLedgerFactory();
    factory.append(conflict());
    factory.append(files('private', put(COPY, one, B)));
    factory.append(settle('ours'));
    expect(factory.replay().files.has(COPY)).toBe(true);
  });

  it.each([
    { op: 'delete', path: COPY, base: B },
    { op: 'move', path: COPY, to: 'b.md', base: B },
  ] satisfies FileChange[])('is settled when its copy leaves by $op', (change) => {
    const factory = createLedgerFactory();
    factory.append(conflict());
    factory.append(files('private', change));
    expect(factory.replay().conflicts.size).toBe(0);
  });
});
