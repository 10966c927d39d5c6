import { randomUUID } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { startEmulators, type TestEmulators } from '#test/support/emulators.ts';
import { createTables } from './dynamodb-tables.ts';
import { injectLostReplies, type LostReplies } from './lost-replies.ts';

describe('a reply of DynamoDB that gets lost', () => {
  let emulators: TestEmulators;
  let client: DynamoDBClient;
  let store: TaskStore;
  /** The same tables, seen by somebody else. */
  let other: TaskStore;
  let otherClient: DynamoDBClient;
  let network: LostReplies;

  beforeAll(async () => {
    emulators = await startEmulators();
    client = createDynamoClient(emulators.clientOptions());
    otherClient = createDynamoClient(emulators.clientOptions('other'));
    await createTables(client);
    network = injectLostReplies(client);
    store = createDynamoTaskStore(client, 'tasks');
    other = createDynamoTaskStore(otherClient, 'tasks');
  });
  afterAll(async () => {
    client.destroy();
    otherClient.destroy();
    await emulators.close();
  });
  beforeEach(() => {
    network.requests.length = 0;
  });

  async function begun(): Promise<string> {
    const taskId = taskIdOfMail(randomUUID());
    await other.begin(taskId);
    return taskId;
  }

  function claimOf(taskId: string, owner = 'laptop') {
    const states = { from: ['received', 'needs_action'] as const, to: 'drafting' as const };
    return { taskId, owner, attemptId: `${owner}-1`, zone: 'local' as const, leaseMs: 60_000, ...states };
  }

  async function claimed(): Promise<{ taskId: string; epoch: number; heartbeat: number }> {
    const taskId = await begun();
    const answer = await store.claim(claimOf(taskId));
    if (!answer.won) throw new Error('a free task could not be claimed');
    network.requests.length = 0;
    return answer.task;
  }

  it('costs a plain lost claim exactly one call', async () => {
    const taskId = await begun();
    await other.claim(claimOf(taskId, 'desktop'));
    expect(await store.claim(claimOf(taskId))).toEqual({ won: false });
    expect(network.requests).toEqual(['UpdateItemCommand']);
  });

  it('does not hide that a task was begun', async () => {
    const taskId = taskIdOfMail(randomUUID());
    network.loseNext();
    expect(await store.begin(taskId)).toBe(true);
  });

  it('does not hide that a claim was won', async () => {
    const taskId = await begun();
    network.loseNext();
    const answer = await store.claim(claimOf(taskId));
    expect(answer).toMatchObject({ won: true, task: { owner: 'laptop', state: 'drafting' } });
    expect(answer.won && answer.task).toEqual(await other.get(taskId));
  });

  it('does not make a winner of whoever was second', async () => {
    const taskId = await begun();
    await other.claim(claimOf(taskId, 'desktop'));
    network.loseNext();
    // The failed condition is the reply that is lost here: the SDK tries again and fails again.
    expect(await store.claim(claimOf(taskId))).toEqual({ won: false });
    expect((await other.get(taskId))?.owner).toBe('desktop');
  });

  it('does not hide that a task was put down', async () => {
    const { taskId, epoch } = await claimed();
    network.loseNext();
    const answer = await store.release({
      taskId,
      owner: 'laptop',
      epoch,
      to: 'pending_approval',
      home: 'local',
      effects: 1,
    });
    expect(answer).toMatchObject({ won: true, task: { state: 'pending_approval', effects: 1 } });
    expect(network.requests).toEqual(['UpdateItemCommand', 'UpdateItemCommand', 'GetItemCommand']);
  });

  it('does not hide that a claim was handed over', async () => {
    const { taskId, epoch } = await claimed();
    network.loseNext();
    const transfer = {
      taskId,
      owner: 'laptop',
      epoch,
      newOwner: 'desktop',
      attemptId: 'd',
      zone: 'local' as const,
    };
    expect(await store.transfer(transfer)).toMatchObject({
      won: true,
      task: { owner: 'desktop', epoch: epoch + 1 },
    });
  });

  it('does not hide that a claim was taken over', async () => {
    const { taskId, epoch, heartbeat } = await claimed();
    network.loseNext();
    const seen = { owner: 'laptop', epoch, heartbeat };
    const answer = await store.takeover({ taskId, owner: 'desktop', attemptId: 'd', zone: 'local', seen });
    expect(answer).toMatchObject({ won: true, task: { owner: 'desktop', epoch: epoch + 1 } });
  });

  it('does not hide that a task was settled, nor that somebody else had settled it', async () => {
    const mine = await begun();
    network.loseNext();
    expect(await store.settle(mine, 'ignored', 'cloud')).toMatchObject({
      won: true,
      task: { state: 'ignored' },
    });

    const theirs = await begun();
    await other.settle(theirs, 'ignored', 'cloud');
    network.loseNext();
    expect(await store.settle(theirs, 'ignored', 'cloud')).toEqual({ won: false });
  });

  it('does not hide that an item was mended, nor that somebody else had changed it', async () => {
    const { taskId, epoch } = await claimed();
    const { version: seenVersion } = (await other.get(taskId)) ?? {};
    const mend = { taskId, seenVersion, state: 'needs_action', home: 'local', epoch } as const;
    network.loseNext();
    const answer = await store.mend(mend);
    expect(answer).toMatchObject({ won: true, task: { state: 'needs_action', epoch } });
    expect(answer.won && answer.task).toEqual(await other.get(taskId));

    await other.claim(claimOf(taskId, 'desktop'));
    network.loseNext();
    expect(await store.mend({ ...mend, seenVersion: answer.won ? answer.task.version : 0 })).toEqual({
      won: false,
    });
    expect((await other.get(taskId))?.owner).toBe('desktop');
  });

  it('is thrown when it stays lost, since nobody knows then', async () => {
    const { taskId, epoch } = await claimed();
    network.loseAll(true);
    try {
      await expect(store.renew({ taskId, owner: 'laptop', epoch })).rejects.toThrow('socket hang up');
    } finally {
      network.loseAll(false);
    }
    expect(network.requests).toHaveLength(4);
  });

  it('does not double an entry of the ledger', async () => {
    const vaultId = randomUUID();
    const signingKey = newSigningKey();
    const keyring = [{ keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() }];
    const ledger = createDynamoLedgerStore(client, 'ledger');
    const ports = { ledger, clock: systemClock, ids: randomIds };
    const session = new LedgerSession(
      { vaultId, writer: 'laptop', signingKey, keyring },
      signingKey.publicKey,
      ports,
    );
    const writers = [{ writer: 'laptop', zone: 'local' as const, publicKey: signingKey.publicKey }];
    await session.append(() => ({ body: { kind: 'keys', keyEpoch: 1, writers, approvers: [] } }));

    network.loseNext();
    const outcome = await session.append(() => ({
      body: { kind: 'override', what: { of: 'repair', code: 'a' }, reason: 'b' },
    }));
    expect(outcome).toMatchObject({ appended: true, entry: { n: 2 } });
    await session.append(() => ({
      body: { kind: 'override', what: { of: 'repair', code: 'c' }, reason: 'd' },
    }));
    const { entries } = await ledger.read(vaultId, 0);
    expect(entries).toMatchObject([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(session.state.head.n).toBe(3);
  });
});
