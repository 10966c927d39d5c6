import { createCheckpointStart } from '#adapters/checkpoint-start.ts';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { createMailParser } from '#adapters/mail-parser.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { createS3BlobStore } from '#adapters/s3-blob-store.ts';
import { createS3Client } from '#adapters/s3-client.ts';
import { createS3MailSource } from '#adapters/s3-mail-source.ts';
import { createSecretsClient } from '#adapters/secrets-client.ts';
import { createSecretSource } from '#adapters/secrets-manager-secret.ts';
import { createSqsClient } from '#adapters/sqs-client.ts';
import { createSqsQueue } from '#adapters/sqs-queue.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { parseEnv } from '#lambdas/runtime/parse-env.ts';
import type { QueueHandler } from '#lambdas/runtime/queue-function.ts';
import { createZoneSource } from '#lambdas/runtime/zone-session.ts';
import { DraftRequest } from '#protocol/draft-request.ts';
import { TriageEnv } from './env.ts';
import { createTriageHandler } from './handler.ts';

const env = parseEnv(TriageEnv, process.env);
const dynamodb = createDynamoClient();
const s3 = createS3Client();
const blobs = createS3BlobStore(s3, env.VAULT_BUCKET);

/** Lambda calls this with each batch of the inbound queue. */
export const handler: QueueHandler = createTriageHandler(env, {
  tasks: createDynamoTaskStore(dynamodb, env.TASKS_TABLE),
  blobs,
  mails: createS3MailSource(s3),
  parser: createMailParser(),
  drafting: createSqsQueue(createSqsClient(), env.DRAFTING_QUEUE_URL, DraftRequest),
  zone: createZoneSource(createSecretSource(createSecretsClient(), env.VAULT_SECRET_ARN), {
    ledger: createDynamoLedgerStore(dynamodb, env.LEDGER_TABLE),
    begin: createCheckpointStart(blobs, 'shared'),
    clock: systemClock,
    ids: randomIds,
  }),
});
