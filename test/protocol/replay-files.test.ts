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
