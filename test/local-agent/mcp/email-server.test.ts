import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import PostalMime from 'postal-mime';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createToolHost } from '#local-agent/mcp/host.ts';
import type { ToolOutcome } from '#local-agent/tool-host.ts';
import { CallLog } from '#local-cloud/call-log.ts';
import { startSes } from '#local-cloud/emulators/ses.ts';
import { aMail, anAttachment } from './fixtures/a-mail.ts';
import { startFailingSes } from './fixtures/failing-ses.ts';
import { isAlive, like, tempFolder } from './fixtures/tool-host-fixture.ts';

type Send = (fields?: Parameters<typeof aMail>[0], timeoutMs?: number) => Promise<ToolOutcome>;

/** The real server, started as the agent starts it, against an endpoint. */
async function emailHost(ses: string, env = process.env): Promise<{ send: Send; log: string[] }> {
  const log: string[] = [];
  const none = 'http://127.0.0.1:1';
  const host = createToolHost({
    config: {
      region: 'eu-west-1',
      endpoints: { dynamodb: none, s3: none, sqs: none, ses, secretsmanager: none, sts: none },
      credentials: { accessKeyId: 'AKIALOCALAGENT', secretAccessKey: 'local' },
    },
    log: (line) => log.push(line),
    pinsFile: path.join(await tempFolder(), 'pins.json'),
    env,
  });
  onTestFinished(() => host.close());
  const send: Send = (fields, timeoutMs = 15_000) =>
    host.call({ server: 'email', tool: 'send_email', args: aMail(fields), timeoutMs });
  return { send, log };
}

async function emulator(identities?: readonly string[]) {
  const calls = new CallLog();
  const outboxDir = path.join(await tempFolder(), 'outbox');
  await mkdir(outboxDir);
  const ses = await startSes({ outboxDir, intercept: calls.intercept, ...(identities && { identities }) });
  onTestFinished(() => ses.close());
  const files = async (suffix: string): Promise<Buffer[]> => {
    const names = (await readdir(outboxDir)).filter((name) => name.endsWith(suffix));
    return Promise.all(names.map((name) => readFile(path.join(outboxDir, name))));
  };
  return { endpoint: ses.endpoint, calls, files };
}

describe('the mail server, started by the host', () => {
  it('sends a mail by SES: envelope, headers, tags and text as approved', async () => {
    const ses = await emulator();
    const { send } = await emailHost(ses.endpoint);
    const outcome = await send({
      attachments: [anAttachment('Übersicht 2026.pdf', Buffer.from([0, 255, 13, 10]))],
    });
    const [eml] = await ses.files('.eml');
    const envelope = JSON.parse(String((await ses.files('.json'))[0])) as Record<string, unknown>;
    const mail = await PostalMime.parse(eml ?? '');
    expect(outcome).toMatchObject({ status: 'succeeded', providerId: envelope['messageId'] });
    expect(envelope).toMatchObject({
      source: 'office@example.com',
      destinations: ['bo@example.org', 'ann@example.org'],
      tags: { task: 't0123456789abcdef0123', intent: 'intent_1-a' },
    });
    expect(mail).toMatchObject({
      subject: 'Re: Grüße',
      text: aMail().text,
      inReplyTo: '<2@example.org>',
      references: '<1@example.org> <2@example.org>',
    });
    expect(
      mail.attachments.map(({ filename, content }) => [filename, Buffer.from(content as ArrayBuffer)]),
    ).toEqual([['Übersicht 2026.pdf', Buffer.from([0, 255, 13, 10])]]);
    expect(ses.calls.list().map(({ operation, accessKeyId }) => [operation, accessKeyId])).toEqual([
      ['SendRawEmail', 'AKIALOCALAGENT'],
    ]);
  });

  it('sends 20 MB of attachments', async () => {
    const ses = await emulator();
    const { send } = await emailHost(ses.endpoint);
    const bytes = Buffer.alloc(10 * 1024 * 1024, 'large');
    const outcome = await send({ attachments: [anAttachment('1.bin', bytes), anAttachment('2.bin', bytes)] });
    expect(outcome.status).toBe('succeeded');
    expect((await ses.files('.eml'))[0]?.length).toBeGreaterThan(27 * 1024 * 1024);
  });

  it('reports a refusal of SES as a failure', async () => {
    const ses = await emulator(['example.net']);
    const { send } = await emailHost(ses.endpoint);
    expect(await send()).toEqual({ status: 'failed', detail: like(/MessageRejected.*not verified/) });
    expect(await ses.files('.eml')).toEqual([]);
  });

  it('makes no request for a mail that is not in order', async () => {
    const ses = await emulator();
    const { send } = await emailHost(ses.endpoint);
    expect(await send({ subject: 'a\nb' })).toEqual({ status: 'failed', detail: like(/^not sent: subject/) });
    expect(ses.calls.total()).toBe(0);
  });

  it('writes no word of a mail to the log', async () => {
    const ses = await emulator(['example.net']);
    const { send, log } = await emailHost(ses.endpoint);
    await send();
    await send({ text: '' });
    expect(log.join('\n')).not.toMatch(/Bo|thank|Grüße|example/);
  });

  it.each([
    ['throttling', { status: 400, code: 'Throttling' }, 'failed'],
    ['a paused account', { status: 400, code: 'AccountSendingPausedException' }, 'failed'],
    ['a 500, perhaps after it took the mail', { status: 500, code: 'InternalFailure' }, 'indeterminate'],
    ['a 503', { status: 503, code: 'ServiceUnavailable' }, 'indeterminate'],
    ['a reset after the request', 'reset', 'indeterminate'],
    ['a page of a captive portal', 'html', 'indeterminate'],
    ['an answer without an id', 'no-id', 'indeterminate'],
  ] as const)('makes one request, not two, on %s', async (_name, fault, status) => {
    const ses = await startFailingSes(fault);
    const { send } = await emailHost(ses.endpoint);
    expect((await send()).status).toBe(status);
    expect(ses.requests.map((request) => request.get('Action'))).toEqual(['SendRawEmail']);
  });

  it('makes one request for each call, also when calls follow a throttled one', async () => {
    const ses = await startFailingSes({ status: 400, code: 'Throttling' });
    const { send } = await emailHost(ses.endpoint);
    for (let count = 1; count <= 3; count += 1) {
      expect((await send()).status).toBe('failed');
      expect(ses.requests).toHaveLength(count);
    }
  });

  it('does not know what became of a mail that SES did not answer for in time', async () => {
    const ses = await startFailingSes('hang');
    const { send } = await emailHost(ses.endpoint);
    expect(await send({}, 3_000)).toEqual({ status: 'indeterminate', detail: like(/no answer within/) });
    expect(ses.requests).toHaveLength(1);
  });

  it('does not know what became of a mail when it is killed, and is started anew for the next', async () => {
    const hanging = await startFailingSes('hang');
    const { send } = await emailHost(hanging.endpoint);
    const outcome = send();
    await vi.waitUntil(() => hanging.requests.length === 1, { timeout: 10_000 });
    const pid = await emailServerOf(process.pid);
    process.kill(pid, 'SIGKILL');
    expect(await outcome).toEqual({ status: 'indeterminate', detail: like(/SIGKILL/) });
    void send();
    await vi.waitUntil(() => hanging.requests.length === 2, { timeout: 10_000 });
    expect(await emailServerOf(process.pid)).not.toBe(pid);
  });

  it('reports an unreachable SES as a failure', async () => {
    const { send } = await emailHost('http://127.0.0.1:1');
    expect(await send()).toEqual({ status: 'failed', detail: like(/could not be reached: .*ECONNREFUSED/) });
  });
});

it('the mail server ends when its stdin does, however its host went', async () => {
  const script = fileURLToPath(new URL('../../../local-agent/mcp/email-server.ts', import.meta.url));
  const child = spawn(process.execPath, [script], {
    env: { AWS_REGION: 'eu-west-1' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(child, 'spawn');
  child.stdin.end();
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(isAlive(child.pid ?? 0)).toBe(false);
});

/** The process id of the mail server that a process started. */
async function emailServerOf(parent: number): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[1] === String(parent) && command.includes('email-server.ts')) return Number(entry);
  }
  throw new Error('the mail server does not run');
}
