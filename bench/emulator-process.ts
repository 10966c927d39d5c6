import { startEmulators } from '#test/support/emulators.ts';

// The body of a process: emulators of their own, so that what they cost is not counted as ours. Ends with its parent.
const emulators = await startEmulators();
for (const suffix of ['', '-anchor']) {
  await emulators.createTable(`tasks${suffix}`, { taskId: 'S' });
  await emulators.createTable(`ledger${suffix}`, { vaultId: 'S', n: 'N' });
}
const { queueUrls } = await makeQueues();
await emulators.platform.createBucket('inbound');
await emulators.platform.createBucket('vault');
process.once('disconnect', () => void emulators.close().then(() => process.exit(0)));
process.send?.({ options: emulators.clientOptions('bench'), queueUrls });

async function makeQueues(): Promise<{ queueUrls: unknown[] }> {
  const made = ['drafting', 'drafting-anchor'].map((QueueName) =>
    emulators.platform.json('sqs', 'CreateQueue', { QueueName }),
  );
  const answers = (await Promise.all(made)) as { QueueUrl?: unknown }[];
  return { queueUrls: answers.map(({ QueueUrl }) => QueueUrl) };
}
