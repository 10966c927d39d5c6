import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import type { Email } from 'postal-mime';
import { ensureAssembly } from '#infra/synth.ts';
import { openAgent } from '#local-agent/open-agent.ts';
import type { Agent } from '#local-agent/agent.ts';
import { initEmployee } from '#local-agent/init.ts';
import { readStackFile } from '#local-agent/init-stack-file.ts';
import type { AttemptedCall } from '#local-cloud/call-log.ts';
import { startLocalCloud } from '#local-cloud/local-cloud.ts';
import type { LocalCloud } from '#local-cloud/local-cloud.ts';
import { EXAMPLE_MAILS } from './example-mails.ts';

const CLI = path.resolve(import.meta.dirname, '../../local-agent/cli.ts');
const ASSISTANT = 'assistant@example.com';

/** What a command left behind. */
export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A mail that went out, as SES would have taken it. */
export interface SentMail {
  readonly file: string;
  readonly raw: Buffer;
  readonly mail: Email;
  readonly destinations: readonly string[];
}

/** The whole system on this machine: stacks, bundles, SMTP in, SES out, and an owner's agent that was set up. */
export interface FlowWorld {
  readonly cloud: LocalCloud;
  readonly vault: string;
  readonly configFile: string;
  /** Every SES notification that was published, in order. */
  readonly notifications: readonly string[];
  /** Hands bytes over by SMTP; what becomes of them shows later. */
  deliver(raw: Uint8Array | string, envelope?: { from?: string; to?: string }): Promise<void>;
  /** Delivers, and waits until the cloud has nothing left to do. */
  send(raw: Uint8Array | string, envelope?: { from?: string; to?: string }): Promise<void>;
  /** Sends a sample of `examples/mail` as its file says. */
  sendExample(file: string): Promise<void>;
  /** Runs `employee` as a process of its own. */
  employee(...args: string[]): Promise<CliResult>;
  /** The arguments and environment of that process, for tests that start it themselves. */
  command(...args: string[]): {
    readonly file: string;
    readonly args: string[];
    readonly env: NodeJS.ProcessEnv;
  };
  /** Works with the agent in this process. */
  withAgent<T>(work: (agent: Agent) => Promise<T>): Promise<T>;
  sent(): Promise<SentMail[]>;
  close(): Promise<void>;
}

/** What may be watched of a world from its start. */
export interface FlowWatch {
  /** Each call that reaches an emulator, with its input, before it is answered. */
  readonly onCall?: (call: AttemptedCall) => void;
  /** Each line that a function or the platform writes. */
  readonly onLine?: (writer: string, line: string) => void;
}

/** @see createFlowWorld */
export interface FlowOptions extends FlowWatch {
  /** Other stacks than those of the repository. */
  readonly assemblyDir?: string;
}

/** Starts a world of its own on free ports; nothing is shared with other tests but the built bundles. */
export async function createFlowWorld(options: FlowOptions = {}): Promise<FlowWorld> {
  const dir = await mkdtemp(path.join(tmpdir(), 'employee-flow-'));
  const assemblyDir = options.assemblyDir ?? (await ensureAssembly()).assemblyDir;
  const notifications: string[] = [];
  const cloud = await startLocalCloud({
    assemblyDir,
    outboxDir: path.join(dir, 'outbox'),
    verdictsFile: path.join(EXAMPLE_MAILS, 'verdicts.json'),
    log: (writer, line) => {
      options.onLine?.(writer, line);
      if (process.env['FLOW_LOG']) console.log(writer, line);
    },
    policy: (call) => {
      notePublished(call, notifications);
      options.onCall?.(call);
      return undefined;
    },
  });
  const configFile = path.join(dir, 'config', 'employee.json');
  const vault = path.join(dir, 'vault');
  await setUpOwner(cloud, { dir, configFile, vault });
  const command = (...args: string[]): { file: string; args: string[]; env: NodeJS.ProcessEnv } => ({
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', CLI, ...args, '--config', configFile],
    env: { PATH: process.env['PATH'], HOME: dir, NO_COLOR: '1' },
  });
  const deliver = async (
    raw: Uint8Array | string,
    { from = 'alice@pinewood.example', to = ASSISTANT } = {},
  ): Promise<void> => {
    const port = Number(cloud.smtp.split(':')[1]);
    const transport = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true });
    try {
      await transport.sendMail({ envelope: { from, to: [to] }, raw: Buffer.from(raw) });
    } finally {
      transport.close();
    }
  };
  const send: FlowWorld['send'] = async (...mail) => {
    await deliver(...mail);
    await cloud.settle();
  };
  return {
    cloud,
    vault,
    configFile,
    notifications,
    deliver,
    send,
    async sendExample(file) {
      const raw = await readFile(path.join(EXAMPLE_MAILS, file));
      const returnPath = /^Return-Path: <([^>]*)>\r\n/.exec(raw.toString('latin1'));
      await send(raw.subarray(returnPath?.[0].length ?? 0), { from: returnPath?.[1] ?? '' });
    },
    employee: (...args) => run(command(...args)),
    command,
    async withAgent(work) {
      const agent = await openAgent(configFile);
      try {
        return await work(agent);
      } finally {
        await agent.close();
      }
    },
    sent: () => readOutbox(path.join(dir, 'outbox')),
    async close() {
      await cloud.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function setUpOwner(
  cloud: LocalCloud,
  place: { readonly dir: string; readonly configFile: string; readonly vault: string },
): Promise<void> {
  const { dynamodb, s3, sqs, ses, secretsmanager, sts } = cloud.endpoints;
  const stackFile = path.join(place.dir, 'stack.json');
  const stack = {
    region: cloud.region,
    endpoints: { dynamodb, s3, sqs, ses, secretsmanager, sts },
    outputs: cloud.outputs,
    credentials: { agent: cloud.credentialsFor('agent'), owner: cloud.credentialsFor('owner') },
  };
  await writeFile(stackFile, JSON.stringify(stack));
  const request = {
    stack: await readStackFile(stackFile),
    configFile: place.configFile,
    vault: place.vault,
    agent: 'laptop',
    adopt: false,
  };
  await initEmployee(request, () => undefined);
}

function notePublished(call: AttemptedCall, notifications: string[]): void {
  const message = call.service === 'sns' && call.operation === 'Publish' ? call.input['Message'] : undefined;
  if (typeof message === 'string') notifications.push(message);
}

function run({ file, args, env }: ReturnType<FlowWorld['command']>): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(file, args, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
      resolve({ code, stdout, stderr });
    });
  });
}

async function readOutbox(outbox: string): Promise<SentMail[]> {
  const names = await readdir(outbox).catch(() => []);
  const files = names.filter((name) => name.endsWith('.eml')).sort();
  return Promise.all(
    files.map(async (name) => {
      const file = path.join(outbox, name);
      const raw = await readFile(file);
      const side: unknown = JSON.parse(await readFile(file.replace(/\.eml$/, '.json'), 'utf8'));
      const { destinations } = side as { destinations: string[] };
      return { file, raw, mail: await PostalMime.parse(raw), destinations };
    }),
  );
}
