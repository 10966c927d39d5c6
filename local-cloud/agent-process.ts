import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryDir } from '#infra/paths.ts';
import { jsonOf } from '#protocol/json-of.ts';
import { z } from 'zod';
import { credentialsOf, type Credentials } from './credentials.ts';
import { writeDurably } from './emulators/durable-file.ts';
import type { Endpoints } from './endpoints.ts';

/** The owner's agent could not be set up or started; the message carries what it said. */
export class AgentFailed extends Error {
  static readonly code = 'AGENT_FAILED';

  constructor(message: string) {
    super(message);
    this.name = 'AgentFailed';
  }
}

/** Where the agent's things are, and what it needs to know of the cloud. */
export interface AgentPlace {
  /** The folder of the local cloud; `stack.json`, `vault/` and `config/` are in it. */
  stateDir: string;
  region: string;
  endpoints: Endpoints;
  /** Stack outputs by name. */
  outputs: Record<string, string>;
  /** Takes lines that the agent writes for a person. */
  log: (line: string) => void;
}

/** The agent, running. */
export interface RunningAgent {
  /** Address of the approval desk. */
  desk: string;
  /** Resolves when the process has ended, with its exit code (null after a signal). */
  ended: Promise<number | null>;
  /** Asks it to end; after two seconds it is killed. */
  stop(): Promise<void>;
}

const CLI = join(repositoryDir, 'local-agent', 'cli.ts');
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 2000;

const Ready = z.object({ ready: z.literal(true), desk: z.string() });

/** Where the agent's vault and configuration are. */
export function agentPaths(stateDir: string): { vault: string; config: string; stackFile: string } {
  return {
    vault: join(stateDir, 'vault'),
    config: join(stateDir, 'config', 'employee.json'),
    stackFile: join(stateDir, 'stack.json'),
  };
}

/**
 * Sets up the owner's agent at the first start: keys, policy, starter vault, and the cloud zone's secret.
 * At later starts it only writes the endpoints anew, since ports may have changed.
 * @throws AgentFailed
 */
export async function initialiseAgent(place: AgentPlace): Promise<void> {
  const { vault, config, stackFile } = agentPaths(place.stateDir);
  const credentials: Record<'agent' | 'owner', Credentials> = {
    agent: credentialsOf('agent'),
    owner: credentialsOf('owner'),
  };
  const { region, outputs } = place;
  const endpoints = agentEndpoints(place.endpoints);
  const stack = { region, endpoints, outputs, credentials };
  await writeDurably(stackFile, `${JSON.stringify(stack, null, 2)}\n`, 0o600);
  if (existsSync(config)) await refreshEndpoints(config, endpoints);
  // Not the config alone: a set-up that was broken off after it is completed by running it again.
  const marker = join(place.stateDir, 'initialised');
  if (existsSync(marker)) return;
  const child = launch(place, ['init', '--stack-file', stackFile, '--vault', vault, '--config', config]);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => said.push(line));
  }
  const code = await ended(child);
  if (code !== 0) {
    throw new AgentFailed(`the agent could not be set up (exit ${code}):\n${said.join('\n')}`);
  }
  await writeDurably(marker, '');
}

/**
 * Starts the agent's daemon and waits until it says where its desk is.
 * @param deskPort 0 takes any free port
 * @throws AgentFailed
 */
export async function startAgent(place: AgentPlace, deskPort: number): Promise<RunningAgent> {
  const { config } = agentPaths(place.stateDir);
  const child = launch(place, ['run', '--config', config, '--port', String(deskPort), '--exit-with-parent']);
  const end = ended(child);
  const lastLines: string[] = [];
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      place.log(line);
    });
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await end;
    clearTimeout(timer);
  };
  const ready = await Promise.race([
    readyLine(child),
    end.then(
      (code) => new AgentFailed(`the agent ended with ${code ?? 'a signal'}:\n${lastLines.join('\n')}`),
    ),
    after(READY_TIMEOUT_MS, new AgentFailed('the agent did not get ready in 30 seconds')),
  ]);
  if (ready instanceof AgentFailed) {
    await stop();
    throw ready;
  }
  return { desk: ready.desk, ended: end, stop };
}

function launch(place: AgentPlace, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CLI, ...args], {
    cwd: repositoryDir,
    // A group of its own: Ctrl-C reaches this process, which ends things in order.
    detached: process.platform !== 'win32',
    // Its standard input ends when this process does, however that comes about, and then it ends too.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, AWS_REGION: place.region, AWS_EC2_METADATA_DISABLED: 'true' },
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(127));
  });
}

function readyLine(child: ChildProcess): Promise<z.infer<typeof Ready>> {
  return new Promise((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const parsed = Ready.safeParse(jsonOf(line));
      if (parsed.success) resolve(parsed.data);
    });
  });
}

function after<Value>(delayMs: number, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    // Must not keep a process alive that has nothing else to do.
    setTimeout(() => resolve(value), delayMs).unref();
  });
}

/** The services that the agent calls. */
function agentEndpoints(all: Endpoints): Record<string, string> {
  const { dynamodb, s3, sqs, ses, secretsmanager, sts } = all;
  return { dynamodb, s3, sqs, ses, secretsmanager, sts };
}

async function refreshEndpoints(config: string, endpoints: Record<string, string>): Promise<void> {
  const parsed = z
    .looseObject({ endpoints: z.record(z.string(), z.string()) })
    .safeParse(jsonOf(readFileSync(config, 'utf8')));
  // A broken config is the agent's to explain.
  if (!parsed.success) return;
  const fresh = { ...parsed.data, endpoints };
  await writeDurably(config, `${JSON.stringify(fresh, null, 2)}\n`, 0o600);
}
