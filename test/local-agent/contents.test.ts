import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { load, loadAll, store, storeAll } from '#local-agent/contents.ts';
import type { ContentPorts } from '#local-agent/contents.ts';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { ContentRef } from '#protocol/content.ts';
import type { BlobStore } from '#protocol/ports.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import { createMemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';
import type { MemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';

const factory = createLedgerFactory();
let folder: string;
let memory: MemoryBlobStore;
let ports: ContentPorts;
/** Every call of the blob store, and how many bytes were under way at most. */
let calls: string[];
let inFlight: { now: number; most: number };

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'contents-'));
  memory = createMemoryBlobStore();
  calls = [];
  inFlight = { now: 0, most: 0 };
  const counted: BlobStore = {
    put: (id, sealed) => underWay('put', () => memory.put(id, sealed)),
    get: (id, part) => underWay(part ? 'part' : 'get', () => memory.get(id, part)),
  };
  ports = portsWith(counted);
});
afterEach(() => {
  ports.copy.close();
  rmSync(folder, { recursive: true, force: true });
});

function portsWith(blobs: BlobStore): ContentPorts {
  const { keyring } = factory.local;
  const copy = new LedgerCopy(path.join(folder, 'ledger.db'), keyring);
  const keys = { keyring } as ContentPorts['keys'];
  return { keys, config: { vaultId: factory.vaultId } as ContentPorts['config'], blobs, copy };
}

async function underWay<T>(name: string, work: () => Promise<T>): Promise<T> {
  calls.push(name);
  inFlight.now += 1;
  inFlight.most = Math.max(inFlight.most, inFlight.now);
  try {
    return await work();
  } finally {
    inFlight.now -= 1;
  }
}

function notes(count: number, sizeBytes: number): Buffer[] {
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(`note ${i}\n`.padEnd(sizeBytes, `text of note ${i} `)),
  );
}

const mine = (bytes: Uint8Array) => ({ bytes, ring: 'private' as const });
const wanted = (content: ContentRef) => ({ content, ring: 'private' as const });

async function loaded(refs: readonly ContentRef[]): Promise<Map<number, string | undefined>> {
  const found = new Map<number, string | undefined>();
  for await (const { index, bytes } of loadAll(ports, refs.map(wanted))) {
    expect(found.has(index)).toBe(false);
    found.set(index, bytes && sha256Hex(bytes));
  }
  return found;
}

describe('many contents at once', () => {
  it('10,000 notes of 2 KB take three calls to store and three to load', async () => {
    const bytes = notes(10_000, 2_000);
    const refs = await storeAll(ports, bytes.map(mine));
    expect(calls).toEqual(['put', 'put', 'put']);
    calls.length = 0;
    const found = await loaded(refs);
    expect(calls).toEqual(['part', 'part', 'part']);
    expect(found.size).toBe(10_000);
    expect([...found].every(([index, hash]) => hash === sha256Hex(bytes[index] ?? ''))).toBe(true);
  });

  it('few small ones travel in their entries', async () => {
    const refs = await storeAll(ports, notes(50, 2_000).map(mine));
    expect(calls).toEqual([]);
    expect(refs.every((ref) => 'text' in ref)).toBe(true);
  });

  it('a single larger one is an object of its own, and so is each big one among many', async () => {
    const [single] = await storeAll(ports, [mine(randomBytes(9_000))]);
    expect(single).not.toHaveProperty('pack');
    const refs = await storeAll(
      ports,
      [5_000_000, 9_000, 20_000].map((size) => mine(randomBytes(size))),
    );
    expect(refs.map((ref) => 'pack' in ref)).toEqual([false, true, true]);
    expect(calls).toEqual(['put', 'put', 'put']);
  });

  it('come back whatever their sizes, rings and doubles', async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
      fc.integer({ min: 8_000, max: 9_000 }).map((size) => randomBytes(size)),
      fc.integer({ min: 20_000, max: 70_000 }).map((size) => Buffer.alloc(size, 'x')),
    );
    const item = fc.record({ bytes: content, ring: fc.constantFrom('shared', 'private') });
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 30 }), async (items) => {
        const refs = await storeAll(ports, items);
        expect(refs).toHaveLength(items.length);
        const all = items.map(({ ring }, index) => ({ content: refs[index] as ContentRef, ring }));
        const seen = new Set<number>();
        for await (const { index, bytes } of loadAll(ports, all)) {
          seen.add(index);
          expect(bytes?.equals(items[index]?.bytes ?? Buffer.of())).toBe(true);
          const ref = all[index];
          if (ref) expect((await load(ports, ref.content, ref.ring)).equals(bytes ?? Buffer.of())).toBe(true);
        }
        expect(seen.size).toBe(items.length);
      }),
      { numRuns: 40 },
    );
  });

  it('are the same objects when they are stored once more after a lost reply', async () => {
    const bytes = notes(1_000, 1_500);
    const lossy = portsWithLostReply();
    await expect(storeAll(lossy, bytes.map(mine))).rejects.toThrow('lost');
    const before = [...memory.blobs.keys()];
    const refs = await storeAll(ports, bytes.map(mine));
    expect([...memory.blobs.keys()]).toEqual(before);
    expect((await loaded(refs)).size).toBe(1_000);
    lossy.copy.close();
  });

  function portsWithLostReply(): ContentPorts {
    const put = async (id: string, sealed: Uint8Array): Promise<void> => {
      await memory.put(id, sealed);
      throw new Error('the reply was lost');
    };
    return portsWith({ put, get: (id) => memory.get(id) });
  }

  it('are under way in small numbers only', async () => {
    const refs = await storeAll(
      ports,
      Array.from({ length: 12 }, () => mine(randomBytes(5_000_000))),
    );
    expect(inFlight.most).toBeLessThanOrEqual(3);
    inFlight.most = 0;
    for await (const { bytes } of loadAll(ports, refs.map(wanted))) expect(bytes?.byteLength).toBe(5_000_000);
    expect(inFlight.most).toBeLessThanOrEqual(3);
  });

  it('of a pack are read by themselves where they are far from each other', async () => {
    const refs = await storeAll(ports, notes(4_000, 1_900).map(mine));
    calls.length = 0;
    let read = 0;
    const spying = { ...ports, blobs: { ...memory, get: spy } };
    async function spy(id: string, part?: { offset: number; sizeBytes: number }): Promise<Uint8Array> {
      const bytes = await memory.get(id, part);
      read += bytes.byteLength;
      return bytes;
    }
    const few = [refs[5], refs[6], refs[2_000], refs[3_999]].filter((ref) => ref !== undefined);
    const found: number[] = [];
    for await (const { index, bytes } of loadAll(spying, few.map(wanted))) if (bytes) found.push(index);
    expect(found.sort()).toEqual([0, 1, 2, 3]);
    expect(read).toBeLessThan(5 * 2_000);
  });
});

describe('a content that is not what it should be', () => {
  it('keeps no other of its pack from coming', async () => {
    const refs = await storeAll(ports, notes(300, 1_000).map(mine));
    const [packId] = memory.blobs.keys();
    const pack = memory.blobs.get(packId ?? '');
    const ref = refs[7];
    if (!pack || !ref || !('pack' in ref) || !ref.pack) throw new Error('it was packed');
    pack[ref.pack.offset + 100] = (pack[ref.pack.offset + 100] ?? 0) ^ 1;
    const found = await loaded(refs);
    expect(found.get(7)).toBeUndefined();
    expect([...found.values()].filter((hash) => hash === undefined)).toHaveLength(1);
    await expect(load(ports, ref, 'private')).rejects.toThrow('opens blob');
  });

  it('is found in what is left of a pack that was cut, and named missing in the rest', async () => {
    const refs = await storeAll(ports, notes(300, 1_000).map(mine));
    const [packId = ''] = memory.blobs.keys();
    memory.blobs.set(packId, memory.blobs.get(packId)?.subarray(0, 100_000) ?? new Uint8Array());
    const answers: (string | undefined)[] = [];
    for await (const { index, error } of loadAll(ports, refs.map(wanted))) answers[index] = error?.code;
    expect(answers[0]).toBeUndefined();
    expect(answers[299]).toBe('BLOB_MISSING');
    expect(answers.filter((code) => code === undefined)).toHaveLength(Math.floor(100_000 / 1_093));
  });

  it('does not open as another piece, when somebody swaps two of the same size', async () => {
    const refs = await storeAll(ports, notes(300, 1_000).map(mine));
    const [one, two] = refs;
    if (!one || !two || !('pack' in one) || !('pack' in two)) throw new Error('they were packed');
    const swapped = [
      { ...one, pack: two.pack },
      { ...two, pack: one.pack },
    ];
    const codes: (string | undefined)[] = [];
    for await (const { error } of loadAll(ports, swapped.map(wanted))) codes.push(error?.code);
    expect(codes).toEqual(['SEAL', 'SEAL']);
  });

  it('that is gone is named, and a store that cannot be reached is thrown', async () => {
    const refs = await storeAll(ports, [mine(randomBytes(9_000))]);
    memory.blobs.clear();
    for await (const { error } of loadAll(ports, refs.map(wanted))) expect(error?.code).toBe('BLOB_MISSING');
    const down = { ...ports, blobs: { ...memory, get: () => Promise.reject(new Error('503')) } };
    await expect(loadAll(down, refs.map(wanted)).next()).rejects.toThrow('503');
  });
});

it('private contents of an entry are read from the copy of the ledger', async () => {
  const refs = await Promise.all(['one', 'two'].map((text) => store(ports, Buffer.from(text), 'private')));
  const changes = refs.map((content, i) => ({ op: 'put' as const, path: `${i}.md`, content }));
  factory.append({ ring: 'private', body: { kind: 'files', changes } });
  ports.copy.keep(factory.entries.map((entry) => ({ entry })));
  const state = factory.replay();
  const files = [...state.files.values()];
  expect(files.map(({ content }) => Object.keys(content))).toEqual([
    ['sha256', 'sizeBytes', 'entry'],
    ['sha256', 'sizeBytes', 'entry'],
  ]);
  const texts: string[] = [];
  for await (const { index, bytes } of loadAll(ports, files)) texts[index] = String(bytes);
  expect(texts).toEqual(['one', 'two']);
  const lost = { sha256: sha256Hex('x'), sizeBytes: 1, entry: 2 };
  await expect(load(ports, lost, 'private')).rejects.toThrow('no such contents in entry 2');
});
