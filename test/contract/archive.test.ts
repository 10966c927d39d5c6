import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3ArchiveReader, createS3Archive } from '#adapters/s3-archive.ts';
import { createS3Client } from '#adapters/s3-client.ts';
import type { Archive, ArchiveReader } from '#protocol/ports.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryArchive } from '#test/support/memory/memory-archive.ts';
import { inMemory } from './harness.ts';
import type { Harness } from './harness.ts';

type Both = Archive & ArchiveReader;

const BUCKET = 'archive-bucket';

function memory(): Promise<Harness<Both>> {
  return Promise.resolve(inMemory(createMemoryArchive(), undefined));
}

async function s3(): Promise<Harness<Both>> {
  const emulators = await startEmulators();
  await emulators.platform.createBucket(BUCKET);
  const client = createS3Client(emulators.clientOptions());
  return {
    adapter: { ...createS3Archive(client, BUCKET), ...createS3ArchiveReader(client, BUCKET) },
    extra: undefined,
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
}

describe.each([
  ['memory', memory],
  ['S3 (fauxqs)', s3],
])('archive: %s', (_name, make) => {
  let harness: Harness<Both>;
  beforeAll(async () => {
    harness = await make();
  });
  afterAll(() => harness.close());

  it('keeps what was put, also when it is put twice', async () => {
    const { adapter } = harness;
    const object = { name: 'ledger/v/000000000001-a.json', bytes: Buffer.from('{"n":1}') };
    await adapter.put(object);
    await adapter.put(object);
    expect(Buffer.from(await adapter.read(object.name)).toString()).toBe('{"n":1}');
    await expect(adapter.read('ledger/v/000000000002-a.json')).rejects.toThrow();
  });

  it('names what is there in order, of one folder, over more than one page', async () => {
    const { adapter } = harness;
    const names = Array.from({ length: 1005 }, (_, i) => `ledger/w/${String(i).padStart(12, '0')}-a.json`);
    // Some at once: the emulator shares this process, and a thousand connections would wait for longer than they may.
    for (const some of chunks(names.toReversed(), 50)) {
      await Promise.all(some.map((name) => adapter.put({ name, bytes: Buffer.from('{}') })));
    }
    await adapter.put({ name: 'rewritten/w/1-2.json', bytes: Buffer.from('{}') });
    expect(await Array.fromAsync(adapter.names('ledger/w/'))).toEqual(names);
    expect(await Array.fromAsync(adapter.names('ledger/w/', 'ledger/w/000000000002~'))).toEqual(
      names.slice(3),
    );
    expect(await Array.fromAsync(adapter.names('ledger/w/', 'ledger/w/000000001004~'))).toEqual([]);
  });
});

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
