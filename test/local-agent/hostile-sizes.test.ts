import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContentRef } from '#protocol/content.ts';
import type { BlobStore } from '#protocol/ports.ts';
import { noteRef } from '#test/protocol/samples.ts';
import { createTwoMachines } from '#test/support/two-machines.ts';
import type { TwoMachines } from '#test/support/two-machines.ts';

const GIGABYTE = 1024 ** 3;
const HUGE = Number.MAX_SAFE_INTEGER;

let machines: TwoMachines;
let asked: number[];

beforeEach(async () => {
  machines = await createTwoMachines({ 'b.md': 'b' });
  asked = [];
  const get: BlobStore['get'] = (_id, part) => {
    asked.push(part?.sizeBytes ?? Number.POSITIVE_INFINITY);
    return Promise.resolve(new Uint8Array(Math.min(part?.sizeBytes ?? 0, 1000)));
  };
  machines.laptop.restart({ blobs: { put: () => Promise.resolve(), get } });
});
afterEach(() => machines.dispose());

function content(n: number, sizeBytes: number, pack?: { offset: number; sizeBytes: number }): ContentRef {
  const digits = String(n).padStart(64, '0');
  return {
    sha256: digits,
    sizeBytes,
    blob: digits,
    ...(pack ? { pack: { id: 'f'.repeat(64), ...pack } } : {}),
  };
}

describe('sizes that the cloud zone makes up', () => {
  it.each<[string, ContentRef[]]>([
    ['of a file', [content(1, HUGE), content(2, GIGABYTE)]],
    [
      'of a part of a pack',
      [content(1, 10, { offset: 0, sizeBytes: HUGE }), content(2, 10, { offset: HUGE, sizeBytes: 10 })],
    ],
    [
      'of many parts one after another',
      Array.from({ length: 100 }, (_each, n) =>
        content(n + 1, 10, { offset: n * 10 * 1024 ** 2, sizeBytes: 10 * 1024 ** 2 }),
      ),
    ],
    ['of a small file in the place of which a huge object stands', [content(1, 10)]],
  ])('%s take no memory, and keep no other file from being synced', async (_name, contents) => {
    const { laptop, desktop, world } = machines;
    const changes = contents.map((each, n) => ({
      op: 'put' as const,
      path: `Briefings/${n}.md`,
      content: each,
    }));
    await world.forge('cloud', { kind: 'files', changes });
    desktop.put('c.md', 'c');
    await world.forge('cloud', {
      kind: 'files',
      changes: [{ op: 'put', path: 'Briefings/fine.md', content: noteRef('fine').content }],
    });
    await desktop.sync();
    const report = await laptop.sync();
    expect(laptop.tree()).toEqual({ 'b.md': 'b', 'c.md': 'c', 'Briefings/fine.md': 'fine' });
    expect(report.explained).toHaveLength(contents.length);
    for (const sizeBytes of asked) expect(sizeBytes).toBeLessThanOrEqual(16 * 1024 ** 2);
  });
});
