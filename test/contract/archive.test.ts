import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3ArchiveList, createS3Archive } from '#adapters/s3-archive.ts';
import { createS3Client } from '#adapters/s3-client.ts';
import type { Archive, ArchiveList } from '#protocol/ports.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryArchive } from '#test/support/memory/memory-archive.ts';
import { inMemory } from './harness.ts';
import type { Harness } from './harness.ts';

interface Both extends Archive, ArchiveList {
  read(name: string): Promise<string | undefined>;
}

const BUCKET = 'archive-bucket';

function memory(): Promise<Harness<Both>> {
  const archive = createMemoryArchive();
  const read = async (name: string): Promise<string | undefined> => {
    const bytes = archive.objects.get(name);
    return bytes && Buffer.from(bytes).toString();
  };
  return Promise.resolve(inMemory({ ...archive, read }, undefined));
}

async function s3(): Promise<Harness<Both>> {
  const emulators = await startEmulators();
  await emulators.platform.createBucket(BUCKET);
  const client = createS3Client(emulators.clientOptions());
  const read = async (Key: string): Promise<string | undefined> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    return Body?.transformToString();
  };
  return {
    adapter: { ...createS3Archive(client, BUCKET), ...createS3ArchiveList(client, BUCKET), read },
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
    expect(await adapter.read(object.name)).toBe('{"n":1}');
  });

  it('names what is there in order, of one folder, over more than one page', async () => {
    const { adapter } = harness;
    const names = Array.from({ length: 1005 }, (_, i) => `ledger/w/${String(i).padStart(12, '0')}-a.json`);
    await Promise.all(names.toReversed().map((name) => adapter.put({ name, bytes: Buffer.from('{}') })));
    await adapter.put({ name: 'rewritten/w/1-2.json', bytes: Buffer.from('{}') });
    const listed: string[] = [];
    for await (const name of adapter.names('ledger/w/')) listed.push(name);
    expect(listed).toEqual(names);
  });
});
