import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { EmployeeError } from '#protocol/errors.ts';

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const MAX_STDERR_CHARS = 8_000;
const LINGER_MS = 50;
/** So long a git that is to stop may take to remove its lock files. */
const GRACE_MS = 2_000;

/** What is kept of the owner's own settings for Git; whatever else begins with `GIT_` points somewhere or prompts. */
const KEPT =
  /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM|ATTR_NOSYSTEM|EXEC_PATH|TEMPLATE_DIR|SSL_.+|HTTP_.+|PROXY_.+|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)$/;

/** Git ended with an exit status that was not expected, or not in time. */
export class GitError extends EmployeeError {
  static override readonly code = 'GIT';
  readonly status: number | null;
  readonly stderr: string;
  readonly stdout: string;

  constructor(command: string, status: number | null, stderr: string, stdout = '') {
    super(`git ${command}: ${lastLine(stderr) || `ended with ${status ?? 'a signal'}`}`);
    this.status = status;
    this.stderr = stderr;
    this.stdout = stdout;
  }
}

/** There is no `git` on this machine. */
export class GitMissingError extends EmployeeError {
  static override readonly code = 'GIT_MISSING';
}

/** How one command is run. */
export interface GitOptions {
  /** What it reads; written as fast as it is taken. */
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit statuses that are answers. @default [0] */
  readonly expect?: readonly number[];
  /** @default 60000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** What it started may live on and is not waited for. @default false */
  readonly lingers?: boolean;
  /** Takes the output piece by piece; `stdout` is empty then. */
  readonly onOutput?: (chunk: Buffer) => void;
}

export interface GitResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs `git` in one folder. */
export interface Git {
  /** @throws {GitError} {@link GitMissingError} */
  run(args: readonly string[], options?: GitOptions): Promise<GitResult>;
  /** The owner's language, for what is run on their behalf. */
  readonly locale: Readonly<Record<string, string>>;
  /** How ssh is run without asking anything, or `undefined` when it is a program with options of its own. */
  quietSsh(config: ReadonlyMap<string, string>): string | undefined;
  /** The output as text without its last line break. */
  text(args: readonly string[], options?: GitOptions): Promise<string>;
}

/**
 * The `git` binary in a folder, without a shell, an editor, a pager, a prompt or anything that a hook of
 * another repository left in the environment.
 *
 * @param folder where it runs.
 * @param variables the environment, as `process.env` has it.
 */
export function createGit(folder: string, variables: NodeJS.ProcessEnv): Git {
  const base = gitEnvironment(variables);
  const run = (args: readonly string[], options: GitOptions = {}): Promise<GitResult> =>
    runGit(folder, { ...base, ...options.env }, args, options);
  return {
    run,
    locale: { LC_ALL: variables['LC_ALL'] ?? '', LANGUAGE: variables['LANGUAGE'] ?? '' },
    quietSsh(config) {
      const own =
        base['GIT_SSH_COMMAND'] ??
        (base['GIT_SSH'] === undefined ? (config.get('core.sshcommand') ?? 'ssh') : '');
      const isOpenSsh = /(^|[\\/])ssh(\.exe)?["']?(\s|$)/.test(own) && !config.has('ssh.variant');
      return isOpenSsh ? `${own} -oBatchMode=yes -oConnectTimeout=20` : undefined;
    },
    async text(args, options) {
      const { stdout } = await run(args, options);
      return stdout.toString().replace(/\n$/, '');
    },
  };
}

/** The environment for Git: the owner's, without what would lead it elsewhere or make it ask. */
export function gitEnvironment(variables: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(variables).filter(
    (variable): variable is [string, string] =>
      variable[1] !== undefined && (!/^GIT_/i.test(variable[0]) || KEPT.test(variable[0])),
  );
  return {
    ...Object.fromEntries(kept),
    // Messages are read by the program.
    LC_ALL: 'C',
    LANGUAGE: '',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    SSH_ASKPASS_REQUIRE: 'never',
    GCM_INTERACTIVE: 'never',
    GIT_EDITOR: ':',
    GIT_SEQUENCE_EDITOR: ':',
    GIT_PAGER: 'cat',
  };
}

async function runGit(
  cwd: string,
  env: Record<string, string>,
  args: readonly string[],
  options: GitOptions,
): Promise<GitResult> {
  const { expect = [0], timeoutMs = TIMEOUT_MS, signal, onOutput, lingers = false } = options;
  const command = args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-c') ?? '';
  if (signal?.aborted) throw new GitError(command, null, 'stopped');
  const child = spawn('git', ['-c', 'core.quotePath=false', ...args], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    // A group of its own: what a hook started ends with it when the time is up.
    detached: process.platform !== 'win32',
  });
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let stderr = '';
  let stopped = '';
  let last: NodeJS.Timeout | undefined;
  const stop = (why: string): void => {
    stopped ||= why;
    signalGroup(child, 'SIGTERM');
    // Also when git itself has ended: what a hook of it started may hold the pipes.
    last ??= setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
  };
  const timer = setTimeout(() => stop(`did not end within ${timeoutMs / 1000} s`), timeoutMs);
  const onAbort = (): void => stop('stopped');
  signal?.addEventListener('abort', onAbort);
  child.stdout.on('data', (chunk: Buffer) => {
    if (onOutput) return onOutput(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_OUTPUT_BYTES) return stop('said too much');
    chunks.push(chunk);
    return undefined;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR_CHARS);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status));
    // A process in the background keeps the pipes open; what the hook itself said comes in a moment.
    if (lingers) child.once('exit', (status) => setTimeout(() => resolve(status), LINGER_MS));
  });
  try {
    const [status] = await Promise.all([ended, feed(child, options.input)]);
    if (stopped !== '') throw new GitError(command, null, stopped);
    if (status === null || !expect.includes(status)) {
      throw new GitError(
        command,
        status,
        stderr,
        Buffer.concat(chunks).toString().slice(0, MAX_STDERR_CHARS),
      );
    }
    return { status, stdout: Buffer.concat(chunks), stderr };
  } catch (error) {
    if (child.exitCode === null && child.signalCode === null) signalGroup(child, 'SIGKILL');
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const what = existsSync(cwd) ? 'git was not found on this machine' : `the folder ${cwd} is not there`;
    throw new GitMissingError(what, { cause: error });
  } finally {
    clearTimeout(timer);
    clearTimeout(last);
    signal?.removeEventListener('abort', onAbort);
    if (lingers) for (const pipe of [child.stdout, child.stderr]) pipe.destroy();
  }
}

/** Gives a process its input. That it stops reading is for its exit status to explain. */
async function feed(child: ChildProcess, input: GitOptions['input']): Promise<void> {
  const { stdin } = child;
  if (!stdin) return;
  let closed = false;
  stdin.once('error', () => (closed = true));
  child.once('close', () => (closed = true));
  if (input === undefined || typeof input === 'string' || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  for await (const chunk of input) {
    if (closed) return;
    if (stdin.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        stdin.off('drain', go).off('error', go);
        child.off('close', go);
        resolve();
      };
      stdin.once('drain', go).once('error', go);
      child.once('close', go);
    });
  }
  stdin.end();
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It ended in the meantime.
  }
}

function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return (lines.find((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1) ?? '')
    .replace(/^(fatal|error): /, '')
    .slice(0, 300);
}
