import { createCheckpointStart } from '#adapters/checkpoint-start.ts';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { createS3BlobStore } from '#adapters/s3-blob-store.ts';
import { createS3Client } from '#adapters/s3-client.ts';
import { createSecretsClient } from '#adapters/secrets-client.ts';
import { createSecretSource } from '#adapters/secrets-manager-secret.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { createTemplateModel } from '#adapters/template-model.ts';
import { parseEnv } from '#lambdas/runtime/parse-env.ts';
import type { QueueHandler } from '#lambdas/runtime/queue-function.ts';
import { createZoneSource } from '#lambdas/runtime/zone-session.ts';
import { DraftEnv } from './env.ts';
import { createDraftHandler } from './handler.ts';

const env = parseEnv(DraftEnv, process.env);
const dynamodb = createDynamoClient();
const blobs = createS3BlobStore(createS3Client(), env.VAULT_BUCKET);

/** Lambda calls this with each batch of the drafting queue. */
export const handler: QueueHandler = createDraftHandler(env, {
  tasks: createDynamoTaskStore(dynamodb, env.TASKS_TABLE),
  blobs,
  model: createTemplateModel(),
  clock: systemClock,
  zone: createZoneSource(createSecretSource(createSecretsClient(), env.VAULT_SECRET_ARN), {
    ledger: createDynamoLedgerStore(dynamodb, env.LEDGER_TABLE),
    begin: createCheckpointStart(blobs, 'shared'),
    clock: systemClock,
    ids: randomIds,
  }),
});
