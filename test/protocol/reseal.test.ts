import { describe, expect, it } from 'vitest';
import { sha256Hex } from '#protocol/canonical.ts';
import type { BlobRef } from '#protocol/content.ts';
import { relocated } from '#protocol/ledger-contents.ts';
import type { EntryDraft } from '#protocol/ledger-entry.ts';
import type { FileView } from '#protocol/vault-state.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';

const TASK = 't3f9c1a20000000000000';

/** Contents in the blob store, in a pack if it is named. */
function at(text: string, place: string, pack?: string): BlobRef {
  const ref = { sha256: sha256Hex(text), sizeBytes: text.length, blob: sha256Hex(place) };
  return pack === undefined ? ref : { ...ref, pack: { id: sha256Hex(pack), offset: 7, sizeBytes: 100 } };
}

function put(path: string, content: BlobRef, base?: string): EntryDraft {
  const change = { op: 'put' as const, path, content, ...(base === undefined ? {} : { base }) };
  return { ring: 'private', body: { kind: 'files', changes: [change] } };
}

function reseal(ring: 'shared' | 'private', ...moved: [from: string, to: BlobRef][]): EntryDraft {
  return {
    ring,
    body: { kind: 'reseal', moved: moved.map(([from, to]) => ({ from: sha256Hex(from), to })) },
  };
}

function contentOf(factory: LedgerFactory, path: string): FileView | undefined {
  return factory.replay().files.get(path);
}

describe('contents that were stored again', () => {
  it('are where the newest entry says, and the same contents', () => {
    const factory = createLedgerFactory();
    factory.append(put('Diary.md', at('x', 'old')));
    factory.append(reseal('private', ['old', at('x', 'new', 'pack')]));
    expect(contentOf(factory, 'Diary.md')).toMatchObject({
      content: at('x', 'new', 'pack'),
      n: 2,
      contentN: 2,
    });
    factory.append(reseal('private', ['new', at('x', 'newest')]));
    expect(contentOf(factory, 'Diary.md')?.content).toEqual(at('x', 'newest'));
    expect(relocated(at('x', 'old'), factory.replay().resealed)).toEqual(at('x', 'newest'));
  });

  it('stay what their own entry says, whatever the other one does', () => {
    const factory = createLedgerFactory();
    factory.append(put('Diary.md', at('x', 'old')));
    factory.append(reseal('private', ['old', at('something else', 'new')]));
    expect(contentOf(factory, 'Diary.md')?.content).toMatchObject({ sha256: sha256Hex('x'), sizeBytes: 1 });
  });

  it('are found as well by an entry of a writer who did not know yet', () => {
    const factory = createLedgerFactory();
    factory.append(put('Diary.md', at('x', 'old')));
    factory.append(reseal('private', ['old', at('x', 'new')]));
    factory.append(put('Copy.md', at('x', 'old')), factory.other);
    expect(contentOf(factory, 'Copy.md')?.content).toEqual(at('x', 'new'));
  });

  it('are found in the notes of tasks, by both zones', () => {
    const factory = createLedgerFactory();
    const note = { name: 'a.md', content: at('x', 'old') };
    const created = { taskId: TASK, epoch: 0, event: 'created', state: 'needs_action', note } as const;
    factory.append({ body: { kind: 'task', changes: [created] } }, factory.cloud);
    factory.append(reseal('shared', ['old', at('x', 'new')]));
    for (const writer of [factory.local, factory.cloud]) {
      expect(factory.replay(writer).tasks.get(TASK)?.note?.content).toEqual(at('x', 'new'));
    }
  });

  it('are named by a machine of the owner alone', () => {
    const factory = createLedgerFactory();
    factory.append(put('Diary.md', at('x', 'old')));
    const { n } = factory.append(reseal('shared', ['old', at('x', 'new')]), factory.cloud);
    const state = factory.replay();
    expect(state.refusals).toMatchObject([{ n, severity: 'incident', code: 'zone' }]);
    expect(state.files.get('Diary.md')?.content).toEqual(at('x', 'old'));
  });

  it('cannot lead in a circle', () => {
    const factory = createLedgerFactory();
    factory.append(put('Diary.md', at('x', 'old')));
    factory.append(reseal('private', ['old', at('x', 'new')]));
    factory.append(reseal('private', ['new', at('x', 'old')], ['old', at('x', 'old')]));
    const { files, resealed } = factory.replay();
    expect(files.get('Diary.md')?.content).toEqual(at('x', 'old'));
    expect([...resealed.keys()]).toEqual([sha256Hex('new')]);
  });
});
