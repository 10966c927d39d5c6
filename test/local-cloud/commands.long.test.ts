import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credentialsOf } from '#local-cloud/credentials.ts';
import { listenOnLoopback } from '#local-cloud/emulators/listen.ts';
import { DEFAULT_PORTS, portVariable } from '#local-cloud/start-options.ts';
import { Running } from '#local-cloud/running-file.ts';

const repository = join(import.meta.dirname, '..', '..');
const assembly = join(import.meta.dirname, 'fixtures', 'assembly');
const anyPort = Object.fromEntries(Object.keys(DEFAULT_PORTS).map((service) => [portVariable(service), '0']));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function launch(script: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(repository, 'local-cloud', script), ...args], {
    cwd: repository,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(script: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = launch(script, args, env);
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** Starts the cloud alone and waits for its ready line. */
async function startCloud(dir: string): Promise<{ child: ChildProcess; lines: string[]; running: Running }> {
  const child = launch('start.ts', ['--cloud-only', '--assembly', assembly, '--dir', dir], anyPort);
  const lines: string[] = [];
  const stdout = child.stdout;
  if (stdout === null) throw new Error('no stdout');
  for await (const line of createInterface({ input: stdout })) {
    lines.push(line);
    if (lines.at(-2) === 'ready') return { child, lines, running: Running.parse(JSON.parse(line)) };
  }
  throw new Error(`not ready: ${lines.join('\n')}`);
}

let folder: string;
let dir: string;
let cloud: Awaited<ReturnType<typeof startCloud>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commands-'));
  dir = join(folder, 'state');
  cloud = await startCloud(dir);
});
afterAll(async () => {
  cloud.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('npm start', () => {
  it('prints a line a service and the same JSON that running.json holds', async () => {
    const kept: unknown = JSON.parse(await readFile(join(dir, 'running.json'), 'utf8'));
    expect(kept).toEqual(cloud.running);
    const { smtp, endpoints, recipient } = cloud.running;
    expect(recipient).toBe('assistant@example.com');
    for (const address of [smtp, ...Object.values(endpoints)]) {
      expect(address).toMatch(/127\.0\.0\.1:\d+$/);
      expect(cloud.lines.some((line) => line.includes(address))).toBe(true);
    }
  });

  it('refuses a second one on the same folder', async () => {
    const second = await run('start.ts', ['--cloud-only', '--assembly', assembly, '--dir', dir], anyPort);
    expect([second.code, second.stdout]).toEqual([1, '']);
    expect(second.stderr).toMatch(/already running on .*state.*--dir/);
    expect(second.stderr).not.toMatch(/\n\s+at /);
  });

  it('names the taken port and the variable that moves it', async () => {
    const server = createServer();
    const port = await listenOnLoopback(server, 'test', 0);
    const args = ['--cloud-only', '--assembly', assembly, '--dir', join(folder, 'other')];
    const refused = await run('start.ts', args, { ...anyPort, LOCAL_CLOUD_PORT_SES: String(port) });
    server.close();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`port ${port} (ses) is already in use`);
    expect(refused.stderr).toContain('LOCAL_CLOUD_PORT_SES=0');
    expect(refused.stderr).not.toMatch(/\n\s+at /);
  });

  it.each([
    ['an unknown option', ['--frehs'], {}, /--frehs/],
    ['a port that is none', [], { LOCAL_CLOUD_PORT_SMTP: '99999' }, /LOCAL_CLOUD_PORT_SMTP is "99999"/],
  ])('says what is wrong with %s, and exits 2', async (_what, args, env, message) => {
    const { code, stderr } = await run('start.ts', args, env);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('refuses a config whose data is gone instead of starting a second life beside it', async () => {
    const odd = join(folder, 'odd');
    const made = await startCloud(odd);
    made.child.kill('SIGTERM');
    await once(made.child, 'close');
    await rm(join(odd, 'data'), { recursive: true });
    await rm(join(odd, 'config'), { recursive: true, force: true });
    await mkdir(join(odd, 'config'));
    await writeFile(join(odd, 'config', 'employee.json'), '{}');
    const { code, stderr } = await run('start.ts', ['--assembly', assembly, '--dir', odd], anyPort);
    expect(code).toBe(1);
    expect(stderr).toMatch(/belongs to data that is gone.*--fresh/s);
  });

  it('ends on SIGTERM while it still starts', async () => {
    const child = launch('start.ts', ['--cloud-only', '--dir', join(folder, 'early')], anyPort);
    // The lock is the first thing it takes, and the signal handlers follow in the same turn.
    while (!existsSync(join(folder, 'early', 'lock.sqlite-journal'))) await setImmediate();
    child.kill('SIGTERM');
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect(code === 1 || signal === 'SIGTERM').toBe(true);
    expect(existsSync(join(folder, 'early', 'running.json'))).toBe(false);
  });

  it('ends on SIGTERM within 5 s, takes back running.json, and finds its state again', async () => {
    const own = join(folder, 'own');
    const first = await startCloud(own);
    const mail = await file('kept.eml', 'From: a@example.org\r\n\r\nkept\r\n');
    expect((await run('send-mail.ts', [mail, '--dir', own])).code).toBe(0);
    const startedAt = performance.now();
    first.child.kill('SIGTERM');
    const [code] = (await once(first.child, 'close')) as [number | null];
    expect([code, existsSync(join(own, 'running.json'))]).toEqual([0, false]);
    expect(performance.now() - startedAt).toBeLessThan(5000);

    const second = await startCloud(own);
    expect(await objects(second.running)).toHaveLength(1);
    second.child.kill('SIGKILL');
    await once(second.child, 'close');
    // Killed outright, so nothing was taken back; the lock went with the process.
    const args = ['--cloud-only', '--fresh', '--assembly', assembly, '--dir', own];
    const third = launch('start.ts', args, anyPort);
    const lines: string[] = [];
    if (third.stdout !== null) {
      for await (const line of createInterface({ input: third.stdout })) {
        lines.push(line);
        if (lines.at(-2) === 'ready') break;
      }
    }
    expect(await objects(Running.parse(JSON.parse(lines.at(-1) ?? '')))).toHaveLength(0);
    third.kill('SIGKILL');
  });
});

describe('npm run mail', () => {
  it('sends the bytes of the file, with the envelope of its Return-Path, to the assistant', async () => {
    const raw = Buffer.concat([
      Buffer.from('Return-Path: <bounces@example.net>\r\nFrom: a@example.org\r\nSubject: '),
      Buffer.from([0xe9, 0x0d, 0x0a, 0x0d, 0x0a]),
      Buffer.from('.dot\r\n..dots\r\n.\r\nend\r\n'),
    ]);
    const before = (await objects(cloud.running)).length;
    const { code, stdout } = await run('send-mail.ts', [await file('odd.eml', raw), '--dir', dir]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/bounces@example.net → assistant@example.com/);
    const stored = await objects(cloud.running);
    expect(stored).toHaveLength(before + 1);
    expect(stored.some((object) => object.includes(raw))).toBe(true);
  });

  it('sends several, one after another, and none where one of them is no mail', async () => {
    const files = ['examples/mail/question.eml', 'examples/mail/thread.eml'];
    const before = (await objects(cloud.running)).length;
    expect(await run('send-mail.ts', [...files, 'package-lock.json', '--dir', dir])).toMatchObject({
      code: 1,
    });
    expect(await objects(cloud.running)).toHaveLength(before);
    const { code, stdout } = await run('send-mail.ts', [...files, '--dir', dir]);
    expect(code).toBe(0);
    expect(stdout.match(/^sent {2}\S+/gm)).toEqual(files.map((name) => `sent  ${name}`));
    expect(await objects(cloud.running)).toHaveLength(before + 2);
  });

  it.each([
    ['no file', [], 2, /name a mail file/],
    ['a file that is not there', ['nowhere.eml'], 1, /there is no file nowhere.eml/],
    ['a folder', ['test'], 1, /is no file/],
    ['what is no mail', ['package-lock.json'], 1, /is no mail/],
    ['an address that is none', ['examples/mail/question.eml', '--to', 'nobody'], 2, /--to: "nobody"/],
    [
      'a recipient that no rule knows',
      ['examples/mail/question.eml', '--to', 'x@example.net'],
      1,
      /does not receive/,
    ],
    ['an unknown option', ['--form', 'x'], 2, /--form/],
  ])('says what is wrong with %s', async (_what, args, expected, message) => {
    const { code, stderr } = await run('send-mail.ts', [...args, '--dir', dir]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(expected);
  });

  it('says that nothing is running, and how to start it', async () => {
    const { code, stderr } = await run('send-mail.ts', ['examples/mail/question.eml', '--dir', folder]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('npm start')]);
  });
});

/** Everything in the inbound bucket. */
async function objects(running: Running): Promise<Buffer[]> {
  const s3 = new S3Client({
    region: running.region,
    endpoint: running.endpoints.s3,
    forcePathStyle: true,
    credentials: credentialsOf('owner'),
  });
  const Bucket = 'fixture-store-inbound4f2a11bc';
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    }),
  );
}
