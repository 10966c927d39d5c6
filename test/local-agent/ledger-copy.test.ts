import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { entryHash } from '#protocol/ledger-entry.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';

const HASH = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);
const AGREED = { sha256: HASH, id: '2.0', n: 2 };

let folder: string;
let factory: LedgerFactory;
const open: LedgerCopy[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ledger-copy-'));
  factory = createLedgerFactory();
});
afterEach(() => {
  for (const copy of open.splice(0)) copy.close();
  rmSync(folder, { recursive: true, force: true });
});

function file(): string {
  return path.join(folder, 'ledger.db');
}

function openCopy(): LedgerCopy {
  const copy = new LedgerCopy(file(), factory.local.keyring);
  open.push(copy);
  return copy;
}

function put(copy: LedgerCopy, count: number): void {
  for (let i = 0; i < count; i++) factory.append(note(`Notes/${i}.md`, `note ${i}`));
  copy.keep(factory.entries.map((entry) => ({ entry })));
}

function note(name: string, text: string) {
  const content = { sha256: sha256Hex(text), sizeBytes: text.length, text };
  const change = { op: 'put' as const, path: name, content };
  return { ring: 'private' as const, body: { kind: 'files' as const, changes: [change] } };
}

describe('a transaction of the copy', () => {
  it('is kept whole', () => {
    const copy = openCopy();
    copy.together(() => {
      copy.setAgreed('a.md', AGREED);
      copy.setNoteAt('t1', 'Done/a.md', HASH, 7);
    });
    const later = openCopy();
    expect([...later.allAgreed()]).toEqual([['a.md', AGREED]]);
    expect(later.noteAt('t1')).toEqual({ path: 'Done/a.md', sha256: HASH, n: 7, fileId: '' });
  });

  it('leaves nothing behind when it fails, neither on disk nor in memory', () => {
    const copy = openCopy();
    copy.setAgreed('a.md', AGREED);
    expect(() =>
      copy.together(() => {
        copy.setAgreed('a.md', undefined);
        copy.setAgreed('b.md', AGREED);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect([...copy.allAgreed()]).toEqual([['a.md', AGREED]]);
    expect([...openCopy().allAgreed()]).toEqual([['a.md', AGREED]]);
  });

  it('within another one undoes only its own writes when it fails', () => {
    const copy = openCopy();
    copy.together(() => {
      copy.setAgreed('a.md', AGREED);
      const inner = (): void =>
        copy.together(() => {
          copy.setAgreed('a.md', undefined);
          copy.setAgreed('b.md', AGREED);
          throw new Error('inner');
        });
      expect(inner).toThrow('inner');
      expect([...copy.allAgreed().keys()]).toEqual(['a.md']);
      copy.together(() => copy.setAgreed('c.md', AGREED));
    });
    expect([...copy.allAgreed().keys()]).toEqual(['a.md', 'c.md']);
    expect([...openCopy().allAgreed().keys()]).toEqual(['a.md', 'c.md']);
  });

  it('cannot wait', () => {
    const copy = openCopy();
    expect(() => copy.together(() => Promise.resolve(copy.setAgreed('a.md', AGREED)))).toThrow('wait');
    expect(copy.allAgreed().size).toBe(0);
  });
});

it('sees what another process wrote, for all it keeps in memory', () => {
  const [one, two] = [openCopy(), openCopy()];
  expect([one.allAgreed().size, one.allStats().size, one.noteAt('t1')]).toEqual([0, 0, undefined]);
  const stat = { sizeBytes: 1, modifiedMs: 1.5, changedMs: 2.5, fileId: '9', sha256: HASH };
  two.setAgreed('a.md', AGREED);
  two.setNoteAt('t1', 'Done/a.md', HASH);
  two.setStats(new Map([['a.md', stat]]));
  expect(one.allAgreed().get('a.md')).toEqual(AGREED);
  expect(one.noteAt('t1')).toEqual({ path: 'Done/a.md', sha256: HASH, n: 0, fileId: '' });
  expect(one.allNotes().size).toBe(1);
  expect(one.allStats().get('a.md')).toEqual(stat);
  one.setAgreed('b.md', AGREED);
  two.setAgreed('a.md', undefined);
  expect([...one.allAgreed().keys()]).toEqual(['b.md']);
  expect([...two.allAgreed().keys()]).toEqual(['b.md']);
});

describe('the entries of the copy', () => {
  it('come back as they were kept, from wherever one asks', () => {
    const copy = openCopy();
    put(copy, 5);
    expect([...copy.entries()]).toEqual(factory.entries);
    expect([...copy.entries(4)].map(({ n }) => n)).toEqual([5, 6]);
    expect(copy.entryAt(3)).toEqual(factory.entries[2]);
    expect(copy.last()).toBe(6);
  });

  it('can be kept twice, but not another one under the same number', () => {
    const copy = openCopy();
    put(copy, 2);
    copy.keep(factory.entries.map((entry) => ({ entry })));
    const [first, second, third] = factory.entries;
    if (!first || !second || !third) throw new Error('three entries were made');
    const forged = { ...third, at: '2030-01-01T00:00:00.000Z' };
    expect(() => copy.keep([{ entry: forged }])).toThrow('ledger entry 3: differs');
    expect(copy.hashOf(3)).toBe(entryHash(third));
  });

  it('are kept all or none, and never with a hole', () => {
    const copy = openCopy();
    put(copy, 1);
    for (let i = 0; i < 3; i++) factory.append(note(`More/${i}.md`, 'x'));
    const [, , third, , fifth] = factory.entries;
    if (!third || !fifth) throw new Error('five entries were made');
    expect(() => copy.keep([{ entry: third }, { entry: fifth }])).toThrow('does not follow');
    expect(copy.last()).toBe(2);
  });

  it('tell where the bytes are that they brought', () => {
    const copy = openCopy();
    put(copy, 8);
    for (const i of [3, 0, 7, 3, 1, 5, 6]) {
      const text = `note ${i}`;
      expect(copy.contentAt(i + 2, sha256Hex(text))).toEqual({
        sha256: sha256Hex(text),
        sizeBytes: text.length,
        text,
      });
    }
    expect(copy.contentAt(2, OTHER)).toBeUndefined();
    expect(copy.contentAt(99, OTHER)).toBeUndefined();
    expect(copy.contentAt(0, OTHER)).toBeUndefined();
  });
});

describe('a file of an older release', () => {
  function older(): void {
    const db = new DatabaseSync(file());
    db.exec(`
CREATE TABLE entries (n INTEGER PRIMARY KEY, hash TEXT NOT NULL, entry TEXT NOT NULL) STRICT;
CREATE TABLE agreed (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE notes (taskId TEXT PRIMARY KEY, path TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE stats (path TEXT PRIMARY KEY, sizeBytes INTEGER NOT NULL, modifiedMs REAL NOT NULL, sha256 TEXT NOT NULL) STRICT;
CREATE TABLE effects (key TEXT PRIMARY KEY, effect TEXT NOT NULL) STRICT;
CREATE TABLE claims (taskId TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO agreed VALUES ('a.md', '${HASH}');
INSERT INTO notes VALUES ('t1', 'Done/a.md', '${HASH}');
INSERT INTO stats VALUES ('a.md', 1, 1.5, '${HASH}');
INSERT INTO effects VALUES ('t1-1', '{"stage":"called"}');
INSERT INTO claims VALUES ('t1', 3);
INSERT INTO facts VALUES ('lastSync', 'then');`);
    const [first] = factory.entries;
    if (!first) throw new Error('there is a first entry');
    db.prepare('INSERT INTO entries VALUES (1, ?, ?)').run(entryHash(first), JSON.stringify(first));
    db.close();
  }

  it('keeps everything but what a scan finds out again', () => {
    older();
    const copy = openCopy();
    expect([...copy.entries()]).toEqual(factory.entries);
    expect([...copy.allAgreed()]).toEqual([['a.md', { sha256: HASH, id: '', n: 0 }]]);
    expect(copy.noteAt('t1')).toEqual({ path: 'Done/a.md', sha256: HASH, n: 0, fileId: '' });
    expect(copy.calledEffects()).toEqual(['t1-1']);
    expect(copy.openClaims()).toEqual([{ taskId: 't1', epoch: 3 }]);
    expect(copy.fact('lastSync')).toBe('then');
    expect(copy.allStats().size).toBe(0);
    copy.close();
    open.pop();
    expect(openCopy().allAgreed().size).toBe(1);
  });

  it('is not mistaken for a newer one, which is refused', () => {
    openCopy().close();
    open.pop();
    const db = new DatabaseSync(file());
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => new LedgerCopy(file(), factory.local.keyring)).toThrow('use the newer program');
  });
});
