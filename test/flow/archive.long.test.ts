import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { toItem } from '#adapters/dynamodb-item.ts';
import { createS3ArchiveReader } from '#adapters/s3-archive.ts';
import { createS3Client } from '#adapters/s3-client.ts';
import { folderOfState } from '#local-agent/open-agent.ts';
import { archivedEntry, archiveFolder } from '#protocol/archive.ts';
import { assemblyWithout } from '#test/support/assembly-without.ts';
import { flowStarts, openingHours } from '#test/support/flow-starts.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

const { start, cleanUp } = flowStarts();

/** Clients of the owner, who may look everywhere. */
function owner({ cloud }: FlowWorld) {
  const { region, endpoints } = cloud;
  const options = { region, endpoints, credentials: cloud.credentialsFor('owner') };
  const [s3, dynamodb] = [createS3Client(options), createDynamoClient(options)];
  cleanUp.push(async () => {
    s3.destroy();
    dynamodb.destroy();
  });
  return { archive: createS3ArchiveReader(s3, cloud.outputs['ArchiveBucket'] ?? ''), dynamodb };
}

describe('the archive of the ledger', () => {
  it(
    'has every entry of both zones, and verify notices when the table is changed behind it',
    { timeout: 60_000 },
    async () => {
      const world = await start();
      const { archive, dynamodb } = owner(world);
      await world.send(openingHours());
      expect((await world.employee('sync')).code).toBe(0);
      await world.cloud.settle();
      const { vaultId, last, hashes } = await world.withAgent(async ({ config, session, copy }) => {
        const { n } = session.state.head;
        const all = Array.from({ length: n }, (_, index) => ({ n: index + 1, hash: copy.hashOf(index + 1) }));
        return { vaultId: config.vaultId, last: copy.entryAt(n), hashes: all };
      });
      const archived: unknown[] = [];
      for await (const name of archive.names(archiveFolder(vaultId))) archived.push(archivedEntry(name));
      expect(hashes.length).toBeGreaterThan(2);
      expect(archived).toEqual(hashes);
      const proof = await world.employee('verify', '--json');
      expect(JSON.parse(proof.stdout)).toMatchObject({ ok: true, notices: [] });

      // As somebody would who has the owner's rights on the table: written over, and put back.
      if (!last) throw new Error('the copy is empty');
      for (const entry of [{ ...last, at: '2030-01-01T00:00:00.000Z' }, last])
        await dynamodb.send(
          new PutItemCommand({ TableName: world.cloud.outputs['LedgerTable'], Item: toItem(entry) }),
        );
      await world.cloud.settle();
      const { code, stdout } = await world.employee('verify', '--json');
      expect(code).toBe(1);
      const { problems } = JSON.parse(stdout) as { problems: { code: string; n: number }[] };
      expect(new Set(problems.map(({ code: kind, n }) => `${kind} ${n}`))).toEqual(
        new Set([`archive ${last.n}`]),
      );
    },
  );

  it(
    'remembers what was sent when ledger, tasks and copy are all put back: nothing is sent again',
    { timeout: 60_000 },
    async () => {
      const world = await start();
      const { dynamodb } = owner(world);
      const { TasksTable = '', LedgerTable = '' } = world.cloud.outputs;
      await world.send(openingHours());
      expect((await world.employee('sync')).code).toBe(0);
      const [{ taskId }] = JSON.parse((await world.employee('inbox', '--json')).stdout) as [
        { taskId: string },
      ];
      expect((await world.employee('approve', taskId)).code).toBe(0);
      const { Item } = await dynamodb.send(
        new GetItemCommand({ TableName: TasksTable, Key: toItem({ taskId }) }),
      );
      const last = await world.withAgent(async ({ session }) => session.state.head.n);
      expect((await world.employee('execute')).code).toBe(0);
      expect(await world.sent()).toHaveLength(1);
      await world.cloud.settle();

      const { vaultId, head } = await world.withAgent(async ({ config, session }) => ({
        vaultId: config.vaultId,
        head: session.state.head.n,
      }));
      expect(head).toBe(last + 2);
      for (const n of [last + 1, last + 2])
        await dynamodb.send(new DeleteItemCommand({ TableName: LedgerTable, Key: toItem({ vaultId, n }) }));
      await dynamodb.send(new PutItemCommand({ TableName: TasksTable, Item }));
      const folder = folderOfState(world.configFile);
      for (const file of await readdir(folder))
        if (file.startsWith('ledger.db')) await rm(path.join(folder, file));
      await world.employee('sync');
      const { code, stdout } = await world.employee('execute', '--json');
      expect(code).toBe(3);
      expect(JSON.parse(stdout)).toMatchObject({ executed: [], refused: [{ taskId }] });
      expect(stdout).toContain('the archive says that it was begun already');
      expect(await world.sent()).toHaveLength(1);
      expect((await world.employee('approve', taskId)).stderr).toContain('--again');
      expect((await world.employee('approve', taskId, '--again')).code).toBe(0);
      expect((await world.employee('execute')).code).toBe(0);
      expect(await world.sent()).toHaveLength(2);
    },
  );

  it(
    'that cannot be written holds up no mail, and loses nothing of the ledger',
    { timeout: 60_000 },
    async () => {
      const refusals: string[] = [];
      const world = await start({
        assemblyDir: await assemblyWithout('Archive', 's3:PutObject', cleanUp),
        onLine: (writer, line) => writer === 'access' && refusals.push(line),
      });
      await world.deliver(openingHours());
      await expect
        .poll(
          async () => {
            await world.employee('sync');
            return JSON.parse((await world.employee('inbox', '--json')).stdout) as unknown[];
          },
          { timeout: 20_000 },
        )
        .toHaveLength(1);
      expect(
        refusals.filter((line) =>
          /ArchiveRole.* not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::[^"]*archive/.test(
            line,
          ),
        ),
      ).not.toEqual([]);
      expect((await world.employee('verify')).code).toBe(0);
    },
  );
});
