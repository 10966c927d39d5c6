import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { RoleGrant } from '#local-cloud/iam/enforcement.ts';
import { assemblyWithout } from '#test/support/assembly-without.ts';
import { flowStarts, openingHours } from '#test/support/flow-starts.ts';
import { rotateSecret } from '#test/support/rotate-secret.ts';
import { unusedGrants } from './unused-grants.ts';

const { start, cleanUp } = flowStarts();

describe('a grant that is missing', () => {
  it.each([
    {
      of: 'Triage',
      action: 's3:GetObject',
      resource: /"arn:aws:s3:::[^"]*inbound[^"]*\/inbound\/[a-z0-9]{40}"/,
    },
    { of: 'Draft', action: 'dynamodb:PutItem', resource: /arn:aws:dynamodb:[^ ]*:table\/[^ ]*Ledger[^ ]*/ },
  ])(
    'to $of for $action stops the mail, and the logs say so',
    { timeout: 60_000 },
    async ({ of, action, resource }) => {
      const refusals: string[] = [];
      const functionLines: string[] = [];
      const world = await start({
        assemblyDir: await assemblyWithout(of, action, cleanUp),
        onLine: (writer, line) => (writer === 'access' ? refusals : functionLines).push(line),
      });
      await world.deliver(openingHours());
      await vi.waitFor(
        () => {
          // The function logs the beginning of the message, the platform all of it.
          expect(functionLines.join('\n')).toMatch(
            new RegExp(`AccessDenied.*not authorized to perform: ${action} on`),
          );
          expect(refusals).toContainEqual(
            expect.stringMatching(
              new RegExp(
                `^AccessDenied User: [^ ]*:assumed-role/[^ ]*${of}Role[^ ]* is not authorized to perform: ${action} ` +
                  `on resource: ${resource.source} because no identity-based policy allows the ${action} action$`,
              ),
            ),
          );
        },
        { timeout: 20_000, interval: 20 },
      );
      await world.employee('sync');
      expect(await readdir(path.join(world.vault, 'Pending_Approval'))).not.toContainEqual(
        expect.stringMatching(/\.md$/),
      );
    },
  );

  it.each(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'])(
    'for %s keeps the queue from being joined to the function at all',
    async (action) => {
      const assemblyDir = await assemblyWithout('Triage', action, cleanUp);
      await expect(start({ assemblyDir })).rejects.toThrow(
        new RegExp(
          `does not have permissions to call ${action.slice(4)} on SQS.*${action.toLowerCase()} on resource: arn`,
        ),
      );
    },
  );
});

describe('the grants of the roles that run here', () => {
  it('are all needed, but for those that are listed with their reason', { timeout: 90_000 }, async () => {
    const refusals: string[] = [];
    const world = await start({
      onLine: (writer, line) => writer === 'access' && refusals.push(line),
    });
    await world.send(openingHours());
    // Too long for its note to be a part of the entry: a blob.
    const line = 'And on Saturday, at which time?\r\n';
    await world.send(openingHours('days') + line.repeat(400));
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await world.employee(...args);
      expect(code, `${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
      return stdout;
    };
    await writeFile(path.join(world.vault, 'Ideas.md'), line.repeat(400));
    await run('sync');
    const [waiting] = z
      .array(z.object({ taskId: z.string() }))
      .parse(JSON.parse(await run('inbox', '--json')));
    for (const command of ['approve', 'owner']) await run(command, waiting?.taskId ?? '');
    await run('execute');
    await run('gc', '--yes');
    await rotateSecret(world.cloud);
    await run('verify');
    const unused = world.cloud.grants().filter(({ used }) => !used);
    expect(unused.map(shortly).sort()).toEqual(Object.keys(unusedGrants).sort());
    // A function may not list the vault, so S3 does not tell it that there is no checkpoint to begin at.
    for (const refusal of refusals) expect(refusal).toMatch(/s3:ListBucket on resource: "[^"]*vault[^"]*"/);
  });
});

/** `Triage dynamodb:GetItem table/Tasks`: without the names of deployment and stack, and the ends that CDK makes. */
function shortly({ caller, action, resource }: RoleGrant): string {
  const place = resource.split(':').slice(5).join(':');
  const named = place.replace(/ai-employee-[a-z]+-[a-z]+-(\w+?)[0-9a-f]{8}(?=$|\/|:)/i, '$1');
  return `${caller} ${action} ${named}`;
}
