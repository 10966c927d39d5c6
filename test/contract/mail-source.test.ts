import { PutObjectCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '#adapters/s3-client.ts';
import { createS3MailSource } from '#adapters/s3-mail-source.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryMailSource } from '#test/support/memory/memory-mail-source.ts';
import { inMemory } from './harness.ts';
import { describeMailSourceContract } from './mail-source.contract.ts';

describeMailSourceContract('memory', () => {
  const source = createMemoryMailSource();
  const bucket = 'inbound-bucket';
  return inMemory(source, { bucket, store: async (key, raw) => source.store({ bucket, key }, raw) });
});

describeMailSourceContract('S3 (fauxqs)', async () => {
  const emulators = await startEmulators();
  const bucket = 'inbound-bucket';
  await emulators.platform.createBucket(bucket);
  const client = createS3Client(emulators.clientOptions());
  return {
    adapter: createS3MailSource(client),
    extra: {
      bucket,
      store: async (key, raw) => {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: raw }));
      },
    },
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
});
