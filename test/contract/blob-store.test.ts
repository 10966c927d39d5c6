import { createS3BlobInventory } from '#adapters/s3-blob-inventory.ts';
import { createS3BlobStore } from '#adapters/s3-blob-store.ts';
import { createS3Client } from '#adapters/s3-client.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryBlobStore } from '#test/support/memory/memory-blob-store.ts';
import { describeBlobStoreContract } from './blob-store.contract.ts';
import { inMemory } from './harness.ts';

describeBlobStoreContract('memory', () => {
  const memory = createMemoryBlobStore();
  return inMemory(memory, memory);
});

describeBlobStoreContract('S3 (fauxqs)', async () => {
  const emulators = await startEmulators();
  await emulators.platform.createBucket('vault-bucket');
  const client = createS3Client(emulators.clientOptions());
  return {
    adapter: createS3BlobStore(client, 'vault-bucket'),
    extra: createS3BlobInventory(client, 'vault-bucket'),
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
});
