import { BatchWriteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { createClients } from '#adapters/aws-clients.ts';
import type { AwsOptions } from '#adapters/client-options.ts';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import type { ClaimRequest } from '#protocol/claim.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { Benchmark } from './benchmark.ts';
import { tapeCalls } from './call-tape.ts';
import type { TapedCall } from './call-tape.ts';
import { startRemoteEmulators } from './emulators.ts';
import { figureOf } from './figure.ts';
import { sideBySide, wallMs } from './measure.ts';

const CLAIMS = 400;

/**
 * How many tasks a second can be claimed, on dynalite in a process of its own. The emulator takes about half of the time
 * to parse the expressions, which DynamoDB does not; `same-request` puts the adapter beside its own request made
 * without it, so that what it adds itself is seen.
 */
export const claims: Benchmark = {
  name: 'claims',
  about: 'claims a second, beside a bare conditional UpdateItem, at 1 and 32 in flight',
  async *run({ rounds }) {
    const emulators = await startRemoteEmulators();
    const client = createDynamoClient(emulators.options);
    const store = createDynamoTaskStore(client, 'tasks');
    const ours = async (taskId: string): Promise<void> => {
      const answer = await store.claim(claimOf(taskId));
      if (!answer.won) throw new Error('a claim that nobody else wanted was lost');
    };
    const bare = async (taskId: string): Promise<void> => {
      await client.send(new UpdateItemCommand(bareClaim(taskId)));
    };
    const request = await requestOfOurs(emulators.options);
    const same = async (taskId: string): Promise<void> => {
      await client.send(new UpdateItemCommand({ ...request, Key: { taskId: { S: taskId } } }));
    };
    try {
      for (const inFlight of [1, 32]) {
        for (const [against, anchor] of [
          ['', bare],
          ['same-request-', same],
        ] as const) {
          const perSecond = async (
            run: string,
            claim: (taskId: string) => Promise<void>,
          ): Promise<number> => {
            const taskIds = await seed(client, `${against}${inFlight}-${run}`);
            return (CLAIMS * 1000) / (await wallMs(() => withLanes(taskIds, inFlight, claim)));
          };
          const measured = await sideBySide(
            rounds,
            (round) => perSecond(`ours-${round}`, ours),
            (round) => perSecond(`anchor-${round}`, anchor),
          );
          const budget = { of: 'ratio', is: '>=', limit: 0.9 } as const;
          yield figureOf(`claims/${against}in-flight-${inFlight}-per-second`, measured, budget);
        }
      }
    } finally {
      client.destroy();
      await emulators.close();
    }
  },
};

function claimOf(taskId: string): ClaimRequest {
  return {
    taskId,
    owner: 'cloud',
    attemptId: `attempt-of-${taskId}`,
    zone: 'cloud',
    from: ['received', 'needs_action'],
    to: 'drafting',
    leaseMs: 120_000,
  };
}

/** The request that the adapter makes of a claim. */
async function requestOfOurs(options: AwsOptions): Promise<UpdateItemCommandInput> {
  const clients = createClients(options);
  const tape: TapedCall[] = [];
  tapeCalls(clients, tape);
  try {
    await createDynamoTaskStore(clients.dynamodb, 'tasks').claim(claimOf(taskIdOfMail('nobody')));
  } finally {
    clients.destroy();
  }
  const [call] = tape;
  if (call?.command !== 'UpdateItemCommand') throw new Error('a claim is expected to be one UpdateItem');
  return call.input as UpdateItemCommandInput;
}

/** What somebody would write who wanted no more than: nobody holds it, so it is mine. */
function bareClaim(taskId: string): UpdateItemCommandInput {
  return {
    TableName: 'tasks',
    Key: { taskId: { S: taskId } },
    UpdateExpression:
      'SET #state = :to, #owner = :me, attemptId = :try, epoch = epoch + :one, version = version + :one',
    ConditionExpression: 'attribute_not_exists(#owner) AND #state IN (:received, :waiting)',
    ExpressionAttributeNames: { '#state': 'state', '#owner': 'owner' },
    ExpressionAttributeValues: {
      ':to': { S: 'drafting' },
      ':me': { S: 'cloud' },
      ':try': { S: `attempt-of-${taskId}` },
      ':one': { N: '1' },
      ':received': { S: 'received' },
      ':waiting': { S: 'needs_action' },
    },
    ReturnValues: 'ALL_NEW',
  };
}

async function seed(client: DynamoDBClient, run: string): Promise<string[]> {
  const taskIds = Array.from({ length: CLAIMS }, (_, i) => taskIdOfMail(`${run}-${i}`));
  for (let at = 0; at < taskIds.length; at += 25) {
    const tasks = taskIds.slice(at, at + 25).map((taskId) => ({
      PutRequest: {
        Item: marshall({
          taskId,
          state: 'needs_action',
          home: 'cloud',
          epoch: 0,
          heartbeat: 0,
          leaseMs: 0,
          version: 1,
          effects: 0,
        }),
      },
    }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { tasks } }));
  }
  return taskIds;
}

async function withLanes(
  taskIds: readonly string[],
  lanes: number,
  work: (taskId: string) => Promise<void>,
): Promise<void> {
  const waiting = [...taskIds].reverse();
  const lane = async (): Promise<void> => {
    for (let taskId = waiting.pop(); taskId !== undefined; taskId = waiting.pop()) await work(taskId);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
