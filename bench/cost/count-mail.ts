import { z } from 'zod';
import { syncVault } from '#local-agent/sync/sync.ts';
import { AwsClient } from '#local-cloud/aws-client.ts';
import type { AttemptedCall } from '#local-cloud/call-log.ts';
import { executeOne, loneMail, tenMails, warmUp } from '#test/support/counted-scenes.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';
import type { CountedCall, CountedFunction, CountedScene } from './call-charges.ts';
import { itemBytes, type TableContents } from './item-sizes.ts';

/** Counted ways of mails. */
export interface CountedMails {
  /** One mail, alone in every batch, to the approval request. */
  readonly lone: CountedScene;
  /** Ten mails in one batch, to the approval requests. */
  readonly ten: CountedScene;
  /** One draft that the agent fetches, and that is approved, carried out and recorded. */
  readonly answer: CountedScene;
}

/** What CloudWatch counts around each line. */
const LINE_BYTES = 26;

/** Sends mails through the deployed bundles on a local cloud of its own, and counts every call with its size. */
export async function countMails(): Promise<CountedMails> {
  const calls: AttemptedCall[] = [];
  const lines: { readonly writer: string; readonly bytes: number }[] = [];
  const world = await createFlowWorld({
    onCall: (call) => calls.push(call),
    onLine: (writer, line) => lines.push({ writer, bytes: Buffer.byteLength(line) + LINE_BYTES }),
  });
  const begin = (): void => {
    calls.length = 0;
    lines.length = 0;
  };
  const scene = async (mails: number, received: number): Promise<CountedScene> => {
    const counted = {
      mails,
      received,
      calls: calls.map((call) => ({ ...call, caller: callerOf(world, call) })),
      functions: functionsOf(world, calls, lines),
      contents: await contentsOf(world),
    };
    // To look into the tables was none of it.
    begin();
    return counted;
  };
  try {
    await warmUp(world);
    await sync(world);
    begin();
    await loneMail(world);
    const lone = await scene(1, 1);
    await executeOne(world, { opened: begin });
    await sync(world);
    const answer = await scene(1, 0);
    const mails = await tenMails(world, begin);
    return { lone, answer, ten: deliveredAs(lone, await scene(mails, mails)) };
  } finally {
    await world.close();
  }
}

async function sync(world: FlowWorld): Promise<void> {
  await world.withAgent(async (agent) => void (await syncVault(agent)));
}

/** A batch is put on the queue by hand, to be full; SES and SNS would have done for each mail what they did for one. */
function deliveredAs(one: CountedScene, batch: CountedScene): CountedScene {
  const isDelivery = ({ caller, operation }: CountedCall): boolean =>
    caller === 'delivery' && operation !== 'ReceiveMessage' && operation !== 'DeleteMessageBatch';
  const delivery = one.calls.filter(isDelivery);
  const deliveries = Array.from({ length: batch.mails }, () => delivery).flat();
  return { ...batch, calls: [...batch.calls.filter((call) => !isDelivery(call)), ...deliveries] };
}

function callerOf({ cloud }: FlowWorld, { accessKeyId }: AttemptedCall): string {
  const names = [...cloud.plan.functions.map(({ caller }) => caller), 'agent'];
  return names.find((name) => cloud.credentialsFor(name).accessKeyId === accessKeyId) ?? 'delivery';
}

/** A batch is an invocation, and after it its messages are deleted. */
function functionsOf(
  { cloud }: FlowWorld,
  calls: readonly AttemptedCall[],
  lines: readonly { readonly writer: string; readonly bytes: number }[],
): CountedFunction[] {
  const { functions, eventSources, queues, streamSources } = cloud.plan;
  const deleted = calls.filter(({ operation }) => operation === 'DeleteMessageBatch');
  return functions.map(({ caller, name, memoryMb }) => {
    const fed = eventSources
      .filter(({ functionName }) => functionName === name)
      .map(({ queueArn }) => queues.find(({ arn }) => arn === queueArn)?.url);
    const isStreamed = streamSources.some(({ functionName }) => functionName === name);
    const { accessKeyId } = cloud.credentialsFor(caller);
    return {
      name: caller,
      memoryMb,
      invocations: isStreamed
        ? // At most one for each entry that it put into the archive.
          calls.filter((call) => call.accessKeyId === accessKeyId && call.operation === 'PutObject').length
        : deleted.filter(({ input }) => fed.includes(String(input['QueueUrl']))).length,
      logBytes: lines.reduce((sum, { writer, bytes }) => (writer === name ? sum + bytes : sum), 0),
    };
  });
}

async function contentsOf({ cloud }: FlowWorld): Promise<TableContents> {
  const { TasksTable: tasksTable = '', LedgerTable: ledgerTable = '' } = cloud.outputs;
  const client = new AwsClient(cloud.endpoints, cloud.credentialsFor('platform'), cloud.region);
  const scan = async (TableName: string): Promise<Record<string, unknown>[]> => {
    const answer = await client.json('dynamodb', 'Scan', { TableName });
    return z.object({ Items: z.array(z.record(z.string(), z.unknown())) }).parse(answer).Items;
  };
  try {
    const [tasks, entries] = await Promise.all([scan(tasksTable), scan(ledgerTable)]);
    return {
      tasks: new Map(tasks.map((item) => [Text.parse(item['taskId']).S, itemBytes(item)])),
      entries: new Map(entries.map((item) => [Amount.parse(item['n']).N, itemBytes(item)])),
    };
  } finally {
    client.close();
  }
}

const Text = z.object({ S: z.string() });
const Amount = z.object({ N: z.coerce.number() });
