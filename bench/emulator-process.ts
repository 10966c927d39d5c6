import { credentialsOf } from '#local-cloud/credentials.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { Question } from './emulators.ts';
import type { Answer } from './emulators.ts';
import { startRelay } from './relay.ts';

// The body of a process: emulators of their own, so that what they cost is not counted as ours. Ends with its parent.
const emulators = await startEmulators();
for (const suffix of ['', '-anchor']) {
  await emulators.createTable(`tasks${suffix}`, { taskId: 'S' });
  await emulators.createTable(`ledger${suffix}`, { vaultId: 'S', n: 'N' });
}
const { queueUrls } = await makeQueues();
for (const bucket of ['inbound', 'vault']) await emulators.platform.createBucket(bucket);
const options = emulators.clientOptions('bench');
const relays = {
  dynamodb: await startRelay(options.endpoints.dynamodb),
  s3: await startRelay(options.endpoints.s3),
};
process.on('message', (message) => void answer(Question.parse(message)));
process.once('disconnect', () => void close().then(() => process.exit(0)));
process.send?.({
  options,
  relayed: { dynamodb: relays.dynamodb.endpoint, s3: relays.s3.endpoint },
  queueUrls,
});

async function answer({ id, delayMs, newSecret, newBucket }: Question): Promise<void> {
  if (delayMs !== undefined) for (const relay of Object.values(relays)) relay.delayMs = delayMs;
  const secretArn = newSecret === undefined ? undefined : await makeSecret(newSecret);
  if (newBucket !== undefined) await emulators.platform.createBucket(newBucket);
  const calls =
    emulators.calls.total() - emulators.calls.total({ accessKeyId: credentialsOf('platform').accessKeyId });
  const bytes = Object.values(relays).reduce((sum, relay) => sum + relay.bytes(), 0);
  const reply: Answer = { id, calls, bytes, ...(secretArn === undefined ? {} : { secretArn }) };
  process.send?.(reply);
}

async function makeSecret(Name: string): Promise<string> {
  const { ARN } = (await emulators.platform.json('secretsmanager', 'CreateSecret', { Name })) as {
    ARN: string;
  };
  return ARN;
}

async function close(): Promise<void> {
  for (const relay of Object.values(relays)) await relay.close();
  await emulators.close();
}

async function makeQueues(): Promise<{ queueUrls: unknown[] }> {
  const made = ['drafting', 'drafting-anchor'].map((QueueName) =>
    emulators.platform.json('sqs', 'CreateQueue', { QueueName }),
  );
  const answers = (await Promise.all(made)) as { QueueUrl?: unknown }[];
  return { queueUrls: answers.map(({ QueueUrl }) => QueueUrl) };
}
