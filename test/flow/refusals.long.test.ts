import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { notePath } from '#protocol/vault-state.ts';
import { withExplanation } from '#protocol/note-explanation.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

let world: FlowWorld;

beforeEach(async () => {
  world = await createFlowWorld();
}, 60_000);
afterEach(() => world.close());

async function waiting(): Promise<TaskView[]> {
  return world.withAgent(async (agent) => {
    await syncVault(agent);
    return [...agent.session.state.tasks.values()].filter(({ state }) => state === 'pending_approval');
  });
}

async function oneWaiting(): Promise<TaskView> {
  await world.sendExample('question.eml');
  const [task] = await waiting();
  if (!task) throw new Error('nothing waits');
  return task;
}

/** The cloud zone as whoever has taken it over would use it: with its own key, past its own code. */
async function asCloud<T>(work: (session: LedgerSession) => Promise<T>): Promise<T> {
  const credentials = world.cloud.credentialsFor('owner');
  const { region, endpoints, outputs } = world.cloud;
  const secrets = new SecretsManagerClient({ region, endpoint: endpoints.secretsmanager, credentials });
  const dynamodb = new DynamoDBClient({ region, endpoint: endpoints.dynamodb, credentials });
  try {
    const value = await secrets.send(new GetSecretValueCommand({ SecretId: outputs['VaultSecretArn'] }));
    const secret = CloudSecret.parse(JSON.parse(value.SecretString ?? ''));
    const { vaultId, writer, signing, keyring, root } = secret;
    const ledger = createDynamoLedgerStore(dynamodb, outputs['LedgerTable'] ?? '');
    const session = new LedgerSession({ vaultId, writer, signingKey: signing, keyring }, root, {
      ledger,
      clock: systemClock,
      ids: randomIds,
    });
    await session.pull();
    return await work(session);
  } finally {
    secrets.destroy();
    dynamodb.destroy();
  }
}

it(
  'one byte changed after the approval: refused with exit 3, and asked again',
  { timeout: 60_000 },
  async () => {
    const task = await oneWaiting();
    expect(await world.employee('approve', task.taskId)).toMatchObject({ code: 0 });
    const file = path.join(world.vault, `Approved/${task.note?.name ?? ''}`);
    const bytes = readFileSync(file);
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const refused = await world.employee('execute');
    expect(refused.code).toBe(3);
    expect(refused.stdout + refused.stderr).toMatch(/changed after it was approved/);
    expect(await world.sent()).toEqual([]);
    expect(await world.employee('execute', '--json')).toMatchObject({ code: 3 });
    const note = readFileSync(path.join(world.vault, `Pending_Approval/${task.note?.name ?? ''}`), 'utf8');
    expect(note).toContain('Nothing was run: the note was changed after it was approved.');
    expect(withExplanation(note, undefined)).toBe(bytes.toString());
    expect(await world.employee('approve', task.taskId)).toMatchObject({ code: 0 });
    expect(await world.employee('execute')).toMatchObject({ code: 0 });
    expect(await world.sent()).toHaveLength(1);
  },
);

it('an approval put on another task is refused as an incident', { timeout: 60_000 }, async () => {
  await world.sendExample('html-only.eml');
  const task = await oneWaiting();
  const other = (await waiting()).find(({ taskId }) => taskId !== task.taskId);
  if (!other) throw new Error('arranged badly');
  await world.employee('approve', task.taskId);
  const n = await world.withAgent(async (agent) => {
    const { approval, note } = agent.session.state.tasks.get(task.taskId)?.approval ?? {};
    if (!approval || !note) throw new Error('no approval');
    const of = { taskId: other.taskId, epoch: other.epoch };
    const outcome = await agent.session.append(() => ({ ...of, body: { kind: 'approval', approval, note } }));
    return outcome.appended ? outcome.entry.n : 0;
  });
  await world.employee('execute');
  expect(await world.sent()).toHaveLength(1);
  const verify = await world.employee('verify', '--json');
  expect(verify.code).toBe(1);
  expect(JSON.parse(verify.stdout)).toMatchObject({ problems: [{ code: 'incident', n }] });
});

it('an approval written by the cloud zone is refused as an incident', { timeout: 60_000 }, async () => {
  const task = await oneWaiting();
  const n = await asCloud(async (session) => {
    const note = session.state.tasks.get(task.taskId)?.note;
    const content = note?.content;
    if (!note || !content) throw new Error('no note');
    const at = systemClock.now();
    const statement = {
      purpose: 'ai-employee/approval/v1',
      vaultId: session.state.vaultId,
      taskId: task.taskId,
      actionsDigest: content.sha256,
      noteDigest: content.sha256,
      epoch: task.epoch,
      approver: 'owner',
      nonce: randomIds.next(),
      notBefore: at,
      expires: new Date(Date.parse(at) + 3_600_000).toISOString(),
    } as const;
    const approval = {
      statement,
      method: 'command',
      signature: Buffer.alloc(64).toString('base64'),
    } as const;
    const of = { taskId: task.taskId, epoch: task.epoch };
    const outcome = await session.append(() => ({ ...of, body: { kind: 'approval', approval, note } }));
    return outcome.appended ? outcome.entry.n : 0;
  });
  const sync = await world.employee('sync', '--json');
  expect(JSON.parse(sync.stdout)).toMatchObject({
    incidents: [{ n, code: 'forged-approval', writer: 'cloud' }],
  });
  await world.employee('execute');
  expect(await world.sent()).toEqual([]);
  const [still] = await waiting();
  expect(still && notePath(still)).toMatch(/^Pending_Approval\//);
  const verify = await world.employee('verify', '--json');
  expect(verify.code).toBe(1);
  expect(JSON.parse(verify.stdout)).toMatchObject({ problems: [{ code: 'incident', n }] });
});

it(
  'one byte changed in the ledger table: verify names the entry and exits 1',
  { timeout: 60_000 },
  async () => {
    const task = await oneWaiting();
    const credentials = world.cloud.credentialsFor('owner');
    const { region, endpoints, outputs } = world.cloud;
    const dynamodb = new DynamoDBClient({ region, endpoint: endpoints.dynamodb, credentials });
    const vaultId = await world.withAgent((agent) => Promise.resolve(agent.config.vaultId));
    const n = task.createdN;
    const Key = { vaultId: { S: vaultId }, n: { N: String(n) } };
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: outputs['LedgerTable'], Key }));
    expect((await world.employee('verify')).code).toBe(0);
    const tampered = Object.entries(Item ?? {}).map(([name, value]): [string, AttributeValue] =>
      name === 'body' && value.S !== undefined ? [name, { S: flipped(value.S) }] : [name, value],
    );
    await dynamodb.send(
      new PutItemCommand({ TableName: outputs['LedgerTable'], Item: Object.fromEntries(tampered) }),
    );
    dynamodb.destroy();
    const verify = await world.employee('verify');
    expect(verify.code).toBe(1);
    expect(verify.stdout + verify.stderr).toContain(`entry ${n}`);
    const json = await world.employee('verify', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{ n }] });
  },
);

function flipped(text: string): string {
  const at = Math.floor(text.length / 2);
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}
