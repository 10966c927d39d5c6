import { spawn } from 'node:child_process';
import path from 'node:path';

const CLI = path.resolve(import.meta.dirname, '../../../local-agent/cli.ts');
const NODE_ARGS = ['--disable-warning=ExperimentalWarning', CLI];

/** What a command line said and how it ended. */
export interface Said {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a command line runs; nothing of the test's own environment gets in. */
export interface Surroundings {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `employee ARGS` as a process, to its end. */
export function employee(args: readonly string[], { cwd, env = {} }: Surroundings): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...NODE_ARGS, ...args], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: cwd, AWS_EC2_METADATA_DISABLED: 'true', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** A daemon that a test started. */
export interface Daemon {
  readonly desk: string;
  /** Its log so far. */
  log(): string;
  /** Asks it to end. @returns its exit status. */
  stop(): Promise<number | null>;
  /** Ends its standard input, as the death of its parent does. @returns its exit status. */
  orphan(): Promise<number | null>;
}

/** Starts `employee run` and waits until it is ready. */
export async function employeeRun(args: readonly string[], { cwd, env = {} }: Surroundings): Promise<Daemon> {
  const child = spawn(process.execPath, [...NODE_ARGS, 'run', '--exit-with-parent', ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = new Promise<string>((resolve, reject) => {
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const line = stdout.split('\n')[0] ?? '';
      if (stdout.includes('\n')) resolve((JSON.parse(line) as { desk: string }).desk);
    });
    void ended.then((code) => reject(new Error(`run ended with ${code}: ${stderr}`)));
  });
  return {
    desk: await ready,
    log: () => stderr,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    orphan: () => {
      child.stdin.end();
      return ended;
    },
  };
}
