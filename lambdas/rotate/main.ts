import { createCheckpointStart } from '#adapters/checkpoint-start.ts';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { createS3BlobStore } from '#adapters/s3-blob-store.ts';
import { createS3Client } from '#adapters/s3-client.ts';
import { createSecretVersions } from '#adapters/secret-versions.ts';
import { createSecretsClient } from '#adapters/secrets-client.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { parseEnv } from '#lambdas/runtime/parse-env.ts';
import { createZoneSource } from '#lambdas/runtime/zone-session.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { RotateEnv } from './env.ts';
import { createRotateHandler } from './handler.ts';
import type { RotateHandler } from './handler.ts';

const env = parseEnv(RotateEnv, process.env);
const ledger = {
  ledger: createDynamoLedgerStore(createDynamoClient(), env.LEDGER_TABLE),
  begin: createCheckpointStart(createS3BlobStore(createS3Client(), env.VAULT_BUCKET), 'shared'),
  clock: systemClock,
  ids: randomIds,
};

/** Secrets Manager calls this for each step of a rotation. */
export const handler: RotateHandler = createRotateHandler(env, {
  versions: createSecretVersions(createSecretsClient(), env.VAULT_SECRET_ARN),
  withLedger: (secret, work) =>
    createZoneSource({ read: () => Promise.resolve(JSON.stringify(secret)) }, ledger).use(({ session }) =>
      work(session),
    ),
  newKey: newSigningKey,
});
