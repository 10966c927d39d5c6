import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Intercept } from '#local-cloud/call-log.ts';
import { credentialsOf } from '#local-cloud/credentials.ts';
import { createClients } from '#adapters/aws-clients.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { createDynamoTaskStore } from '#adapters/dynamodb-task-store.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { createSecretSource } from '#adapters/secrets-manager-secret.ts';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import { startEmulators } from '#test/support/emulators.ts';
import type { TestEmulators } from '#test/support/emulators.ts';
import { mailRecord, noteOf } from '#test/support/local-world.ts';
import { employee } from './employee-process.ts';
import type { Said } from './employee-process.ts';

const OUTPUTS = {
  TasksTable: 'tasks',
  LedgerTable: 'ledger',
  VaultBucket: 'vault-blobs',
  FromAddress: 'assistant@example.com',
  OwnAddresses: 'assistant@example.com,owner@example.com',
  Region: 'us-east-1',
};

/** An owner's machine in a temp folder and an empty stack on emulators. */
export interface OwnersMachine {
  readonly emulators: TestEmulators;
  readonly folder: string;
  readonly configFile: string;
  readonly keysFile: string;
  readonly vault: string;
  readonly stackFile: string;
  /** `employee ARGS --config …` */
  employee(...args: string[]): Promise<Said>;
  /** `employee init` with the stack of this machine. */
  init(...args: string[]): Promise<Said>;
  /** Lets the cloud zone bring in a mail and draft an answer, if wanted; it waits for approval then. */
  draft(name: string, upTo?: 'needs_action'): Promise<string>;
  secret(): Promise<CloudSecret>;
  json(file: string): Promise<Record<string, unknown>>;
  dispose(): Promise<void>;
}

/**
 * Starts the emulators and makes what a fresh stack has.
 *
 * @param policy sees each call before it is answered, and may refuse it.
 */
export async function createOwnersMachine(policy?: Intercept): Promise<OwnersMachine> {
  const emulators = await startEmulators(policy ? { policy } : {});
  const folder = await mkdtemp(path.join(tmpdir(), 'employee-machine-'));
  await emulators.createTable('tasks', { taskId: 'S' });
  await emulators.createTable('ledger', { vaultId: 'S', n: 'N' });
  await emulators.platform.createBucket('vault-blobs');
  const made = await emulators.platform.json('secretsmanager', 'CreateSecret', {
    Name: 'vault',
    SecretString: '{"status":"placeholder","nonce":"x"}',
  });
  const arn = (made as { ARN: string }).ARN;
  const { dynamodb, s3, sqs, ses, secretsmanager, sts } = emulators.endpoints;
  const stackFile = path.join(folder, 'stack.json');
  await writeFile(
    stackFile,
    JSON.stringify({
      region: 'us-east-1',
      endpoints: { dynamodb, s3, sqs, ses, secretsmanager, sts },
      outputs: { ...OUTPUTS, VaultSecretArn: arn },
      credentials: { agent: credentialsOf('agent'), owner: credentialsOf('owner') },
    }),
  );
  const configFile = path.join(folder, 'config', 'employee.json');
  const vault = path.join(folder, 'vault');
  const clients = createClients(emulators.clientOptions('Draft'));
  const run = (...args: string[]): Promise<Said> =>
    employee(args.includes('--config') ? args : [...args, '--config', configFile], { cwd: folder });
  const secret = async (): Promise<CloudSecret> =>
    CloudSecret.parse(JSON.parse(await createSecretSource(clients.secrets, arn).read()));
  return {
    emulators,
    folder,
    configFile,
    keysFile: path.join(folder, 'config', 'keys.json'),
    vault,
    stackFile,
    employee: run,
    init: (...args) =>
      run(
        'init',
        '--stack-file',
        stackFile,
        ...(args.includes('--vault') ? [] : ['--vault', vault]),
        ...args,
      ),
    secret,
    async draft(name, upTo) {
      const { vaultId, writer, signing, keyring, root } = await secret();
      const ledger = createDynamoLedgerStore(clients.dynamodb, 'ledger');
      const tasks = createDynamoTaskStore(clients.dynamodb, 'tasks');
      const session = new LedgerSession({ vaultId, writer, signingKey: signing, keyring }, root, {
        ledger,
        clock: systemClock,
        ids: randomIds,
      });
      await session.pull();
      const taskId = taskIdOfMail(name);
      const mail = mailRecord(name);
      const note = noteOf(taskId, mail, 'Hello Alice,\n\nTuesday suits me.\n\nRobin');
      await tasks.begin(taskId);
      const created = { taskId, epoch: 0, event: 'created', state: 'needs_action', mail, note } as const;
      if (upTo === 'needs_action') {
        await session.append(() => ({ body: { kind: 'task', changes: [created] } }));
        await tasks.settle(taskId, 'noted', 'cloud');
        return taskId;
      }
      const claim = await tasks.claim({
        taskId,
        owner: 'cloud',
        attemptId: name,
        zone: 'cloud',
        from: ['received'],
        to: 'drafting',
        leaseMs: 60_000,
      });
      if (!claim.won) throw new Error('the cloud could not claim');
      const { epoch } = claim.task;
      await session.append(() => ({
        body: {
          kind: 'task',
          changes: [
            created,
            { taskId, epoch, event: 'draft_started', owner: 'cloud' },
            { taskId, epoch, event: 'drafted', owner: 'cloud', note },
          ],
        },
      }));
      await tasks.release({ taskId, owner: 'cloud', epoch, to: 'pending_approval', home: 'local' });
      return taskId;
    },
    json: async (file) => JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>,
    async dispose() {
      clients.destroy();
      await emulators.close();
      if (existsSync(folder)) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An owner's machine for the test that runs, which removes it. */
export async function freshMachine(): Promise<OwnersMachine> {
  const machine = await createOwnersMachine();
  onTestFinished(() => machine.dispose());
  return machine;
}

/** Runs `init`, and answers what it made. */
export async function madeBy(machine: OwnersMachine, ...args: string[]): Promise<string[]> {
  const said = await machine.init('--json', ...args);
  expect(said).toMatchObject({ status: 0, stderr: '' });
  return (JSON.parse(said.stdout) as { made: string[] }).made;
}
