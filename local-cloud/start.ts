import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { outputPaths, repositoryDir } from '#infra/paths.ts';
import { AgentFailed, agentPaths, initialiseAgent, startAgent, type RunningAgent } from './agent-process.ts';
import { PortInUse } from './emulators/listen.ts';
import type { SentMail } from './emulators/ses-outbox.ts';
import { DeliveryRefused } from './iam/deliveries.ts';
import { EventSourceRefused } from './iam/enforcement.ts';
import { PolicyUnsupported } from './iam/policy-unsupported.ts';
import { AlreadyRunning, LOCK_FILE, lockFolder } from './instance-lock.ts';
import { startLocalCloud, type LocalCloud } from './local-cloud.ts';
import { removeRunning, writeRunning, type Running } from './running-file.ts';
import { HELP, portVariable, readStartOptions, WrongUsage, type StartOptions } from './start-options.ts';
import { TemplateUnsupported } from './template.ts';
import { VerdictTableInvalid } from './verdicts.ts';

/** Something that the person can mend; the message says what and how. */
class CannotStart extends Error {
  static readonly code = 'CANNOT_START';
}

/** After this the process ends, whatever still hangs. */
const CLOSE_LIMIT_MS = 4800;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = readStartOptions(process.argv.slice(2), process.env);
    if (options.help) {
      process.stdout.write(HELP);
      return 0;
    }
    return await run(options);
  } catch (error) {
    const problem = inPlainWords(error);
    // What nobody expected keeps its trace: it is a defect, not a mistake of the person.
    if (problem === undefined) throw error;
    process.stderr.write(`cannot start: ${problem}\n`);
    return error instanceof WrongUsage ? 2 : 1;
  }
}

async function run(options: StartOptions): Promise<number> {
  const { stateDir } = options;
  const unlock = lockFolder(stateDir);
  const closers: (() => Promise<void> | void)[] = [unlock];
  const close = async (): Promise<void> => {
    for (const each of closers.splice(0).reverse()) await each();
  };
  try {
    const interrupted = signalled();
    const starting = start(options, closers);
    const isReady = await Promise.race([starting.then(() => true), interrupted.then(() => false)]);
    if (!isReady) {
      // Half started: no mail was taken yet, and all that stands ends with this process.
      removeRunning(stateDir);
      process.exit(1);
    }
    await interrupted;
    say('closing');
    setTimeout(() => {
      process.stderr.write('closing took too long, ending now\n');
      process.exit(1);
    }, CLOSE_LIMIT_MS).unref();
    return 0;
  } finally {
    await close();
  }
}

/** Everything up to the ready line. */
async function start(options: StartOptions, closers: (() => Promise<void> | void)[]): Promise<void> {
  const { stateDir } = options;
  if (options.fresh) await forget(stateDir);
  checkKept(options);
  if (options.assemblyDir === undefined) await buildAssembly();
  const cloud = await startCloud(options, closers);
  const agent = options.cloudOnly ? undefined : await addAgent(options, cloud, closers);
  const running = describe(options, cloud, agent);
  closers.push(() => removeRunning(stateDir));
  await writeRunning(stateDir, running);
  say('ready');
  say(JSON.stringify(running));
}

async function startCloud(
  options: StartOptions,
  closers: (() => Promise<void> | void)[],
): Promise<LocalCloud> {
  const { stateDir, ports } = options;
  // A copy: a build beside the running system replaces the original, and functions load from it at any time.
  const assemblyDir = join(stateDir, 'assembly');
  await rm(assemblyDir, { recursive: true, force: true });
  await cp(options.assemblyDir ?? outputPaths.assemblyDir, assemblyDir, { recursive: true });
  mkdirSync(join(stateDir, 'logs'), { recursive: true });
  const logFile = createWriteStream(join(stateDir, 'logs', 'functions.log'), { flags: 'a' });
  closers.push(() => new Promise((resolve) => logFile.end(resolve)));
  const cloud = await startLocalCloud({
    assemblyDir,
    ports,
    dataDir: join(stateDir, 'data'),
    outboxDir: join(stateDir, 'outbox'),
    verdictsFile: join(repositoryDir, 'examples', 'mail', 'verdicts.json'),
    log: (name, line) => logFile.write(`${new Date().toISOString()} ${name} ${line}\n`),
    onSent: sayingSent,
    onReceived: ({ from, to, messageId }) => say(`got   ${from || '<>'}  → ${to.join(', ')}  ${messageId}`),
  });
  closers.push(() => cloud.close());
  say(`smtp            ${cloud.smtp}  (mail to ${recipientOf(cloud)})`);
  for (const [service, url] of Object.entries(cloud.endpoints)) say(`${service.padEnd(15)} ${url}`);
  for (const { name } of cloud.plan.functions) say(`function        ${name}`);
  say(`outbox          ${shown(cloud.outboxDir)}`);
  say(`logs            ${shown(join(stateDir, 'logs', 'functions.log'))}`);
  return cloud;
}

async function addAgent(
  options: StartOptions,
  cloud: LocalCloud,
  closers: (() => Promise<void> | void)[],
): Promise<RunningAgent> {
  const { stateDir, ports } = options;
  const place = {
    stateDir,
    region: cloud.region,
    endpoints: cloud.endpoints,
    outputs: cloud.outputs,
    log: (line: string) => process.stderr.write(`agent  ${line}\n`),
  };
  await initialiseAgent(place);
  const agent = await startAgent(place, ports.desk);
  let closing = false;
  closers.push(async () => {
    closing = true;
    await agent.stop();
  });
  void agent.ended.then((code) => {
    if (closing) return;
    process.stderr.write(
      `the agent ended (${code ?? 'signal'}); the cloud goes on. Start it again with: npm run employee -- run\n`,
    );
  });
  say(`vault           ${shown(agentPaths(stateDir).vault)}`);
  say(`config          ${shown(agentPaths(stateDir).config)}`);
  say(`desk            ${agent.desk}`);
  return agent;
}

function describe(options: StartOptions, cloud: LocalCloud, agent: RunningAgent | undefined): Running {
  const { vault, config } = agentPaths(options.stateDir);
  return {
    ready: true,
    smtp: cloud.smtp,
    ...(agent === undefined ? {} : { desk: agent.desk, vault, config }),
    outbox: cloud.outboxDir,
    recipient: recipientOf(cloud),
    region: cloud.region,
    endpoints: cloud.endpoints,
  };
}

function recipientOf(cloud: LocalCloud): string {
  const [first] = cloud.plan.receiptRules.flatMap(({ recipients }) => recipients);
  return first ?? 'anybody@example.com';
}

/** Bundles and templates, made only if what they are made of has changed. */
async function buildAssembly(): Promise<void> {
  const child = spawn(process.execPath, [join(repositoryDir, 'infra', 'synth.ts')], {
    cwd: repositoryDir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(127));
  });
  const said = Buffer.concat(output).toString('utf8').trim();
  if (code !== 0) throw new CannotStart(`the functions or templates could not be built:\n${said}`);
  say(said.split('\n').at(-1) ?? '');
}

/** Removes all state; the lock stays, since it is held. */
async function forget(stateDir: string): Promise<void> {
  const entries = readdirSync(stateDir).filter((name) => !name.startsWith(LOCK_FILE));
  await Promise.all(entries.map((name) => rm(join(stateDir, name), { recursive: true, force: true })));
  say(`forgot everything in ${shown(stateDir)}`);
}

/** The agent's keys and the cloud's data belong together: one without the other cannot be read. */
function checkKept({ stateDir, cloudOnly }: StartOptions): void {
  if (cloudOnly) return;
  const hasConfig = existsSync(agentPaths(stateDir).config);
  if (!hasConfig || existsSync(join(stateDir, 'data'))) return;
  throw new CannotStart(
    `${shown(agentPaths(stateDir).config)} belongs to data that is gone (${shown(join(stateDir, 'data'))}). ` +
      'Put it back, or begin anew with: npm start -- --fresh',
  );
}

function sayingSent(mail: SentMail): void {
  say(`sent  ${mail.subject || '(no subject)'}  → ${mail.destinations.join(', ')}  ${shown(mail.file)}`);
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        count += 1;
        // Asked twice: the person does not want to wait.
        if (count > 1) process.exit(1);
        resolve();
      });
    }
  });
}

function inPlainWords(error: unknown): string | undefined {
  if (error instanceof PortInUse) {
    return (
      `${error.message}. Stop what uses it, or choose another one: ` +
      `${portVariable(error.service)}=0 npm start (0 takes any free port)`
    );
  }
  if (error instanceof AlreadyRunning) {
    return `${error.message}. Use it, or stop it first (Ctrl-C where it runs); a second one needs --dir and other ports`;
  }
  const known = [
    ...[CannotStart, WrongUsage, AgentFailed, TemplateUnsupported, VerdictTableInvalid],
    ...[DeliveryRefused, EventSourceRefused, PolicyUnsupported],
  ];
  return known.some((kind) => error instanceof kind) && error instanceof Error ? error.message : undefined;
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short || '.';
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
