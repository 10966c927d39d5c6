import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysFileOf } from '#local-agent/keys.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { CliResult, FlowWorld } from '#test/support/flow-world.ts';

let world: FlowWorld;
let stackFile: string;

beforeAll(async () => {
  world = await createFlowWorld();
  stackFile = path.join(path.dirname(world.configFile), '..', 'stack.json');
}, 120_000);
afterAll(() => world.close());

async function mail(subject: string): Promise<void> {
  await world.send(
    `From: Alice <alice@pinewood.example>\r\nTo: assistant@example.com\r\nSubject: ${subject}\r\n` +
      `Message-ID: <${subject.replaceAll(' ', '-')}@pinewood.example>\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\n\r\n` +
      `Hello,\r\n\r\nwhen do you open on Saturday?\r\n\r\nAlice\r\n`,
  );
}

async function good(...args: string[]): Promise<unknown> {
  const said = await world.employee(...args, '--json');
  expect(said, `${args.join(' ')}: ${said.stdout}${said.stderr}`).toMatchObject({ code: 0 });
  return JSON.parse(said.stdout) as unknown;
}

function rotate(...args: string[]): Promise<CliResult> {
  return world.employee('keys', 'rotate', '--stack-file', stackFile, ...args);
}

/** The id of the one draft that waits and whose note is named so. */
async function waiting(subject: string): Promise<string> {
  const items = (await good('inbox')) as { taskId: string; path: string; state: string }[];
  const found = items.filter(({ path: at, state }) => at.includes(subject) && state === 'pending_approval');
  expect(found, JSON.stringify(items)).toHaveLength(1);
  return found[0]?.taskId ?? '';
}

async function approveAndSend(subject: string): Promise<void> {
  const taskId = await waiting(subject);
  await good('approve', taskId);
  expect(await good('execute')).toMatchObject({ executed: [{ taskId, outcome: 'succeeded' }] });
}

describe('new vault keys', { timeout: 120_000 }, () => {
  it('are planned first, and nothing is changed', async () => {
    await mail('the first');
    await good('sync');
    const before = await readFile(keysFileOf(world.configFile), 'utf8');
    const { code, stdout } = await rotate();
    expect(code).toBe(3);
    expect(stdout).toContain('nothing was changed');
    expect(await readFile(keysFileOf(world.configFile), 'utf8')).toBe(before);
    expect(await world.employee('keys', 'rotate', '--yes')).toMatchObject({ code: 2 });
  });

  it('come into force between two mails, of which both are answered', async () => {
    const { code, stdout, stderr } = await rotate('--yes', '--json');
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('key epoch 2') as string,
    });
    expect(JSON.parse(stdout)).toMatchObject({ rotated: [{ keyEpoch: 2, compromised: false }] });
    await mail('the second');
    await good('sync');
    await approveAndSend('the first');
    await approveAndSend('the second');
    expect(await world.sent()).toHaveLength(2);
    expect(await good('verify')).toMatchObject({ ok: true });
    expect(await good('keys')).toMatchObject({
      keyEpoch: 2,
      atHand: [1, 2],
      writers: [
        { writer: 'laptop', lastEntry: expect.any(Number) as number },
        { writer: 'cloud', lastEntry: expect.any(Number) as number },
      ],
    });
  });

  it('leave the keys of before in a file beside, for the owner alone', async () => {
    const folder = path.dirname(world.configFile);
    const names = (await readdir(folder)).filter((name) => name.startsWith('keys.json'));
    expect(names.sort()).toEqual(['keys.json', 'keys.json.epoch-1']);
    for (const name of names) expect((await stat(path.join(folder, name))).mode & 0o777).toBe(0o600);
  });

  it('after a compromise, void what was approved and did not run, and a mail later all can be proved', async () => {
    await mail('the third');
    await good('sync');
    const taskId = await waiting('the third');
    await good('approve', taskId);
    const { code, stdout, stderr } = await rotate('--compromised', '--yes', '--json');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      rotated: [{ keyEpoch: 3, compromised: true, voided: [taskId] }],
    });
    const executed = await world.employee('execute', '--json');
    expect(executed.code).toBe(3);
    expect(JSON.parse(executed.stdout)).toMatchObject({ executed: [], needsPerson: [{ taskId }] });
    await mail('the fourth');
    await good('sync');
    await approveAndSend('the third');
    await approveAndSend('the fourth');
    expect(await world.sent()).toHaveLength(4);
    expect(await good('verify')).toMatchObject({ ok: true });
    expect((await world.employee('show', taskId)).code).toBe(0);
  });

  it('are left alone by init, which finds everything there', async () => {
    const before = await readFile(keysFileOf(world.configFile), 'utf8');
    expect(await good('init', '--stack-file', stackFile)).toMatchObject({ made: [] });
    expect(await readFile(keysFileOf(world.configFile), 'utf8')).toBe(before);
  });

  it('are handed over in a file that its owner alone can read, and that says whose it is', async () => {
    const file = path.join(path.dirname(world.configFile), '..', 'for-desktop.json');
    expect(await good('keys', 'export', file)).toMatchObject({ keyEpochs: [1, 2, 3] });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await world.employee('keys', 'export', file)).code).toBe(2);
    expect(await good('keys', 'import', file)).toMatchObject({ keyEpochs: [] });
    expect((await world.employee('keys', 'import', keysFileOf(world.configFile))).code).toBe(2);
    expect((await world.employee('keys', 'import')).code).toBe(2);
  });
});
