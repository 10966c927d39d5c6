import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Agent } from '#local-agent/agent.ts';
import type { EmployeeConfig } from '#local-agent/config.ts';
import { createGitHistory } from '#local-agent/git/git-history.ts';
import { GitSettings } from '#local-agent/git/git-settings.ts';
import type { VaultHistory } from '#local-agent/git/history.ts';
import type { Machine } from './local-world.ts';

/** An agent whose vault keeps a history. */
export interface AgentWithHistory extends Agent {
  readonly history: VaultHistory;
  /** What it logged. */
  readonly lines: string[];
}

/** The environment of an owner with a Git of their own and nothing else: no settings of this machine. */
export function gitEnv(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    GIT_CONFIG_GLOBAL: path.join(home, 'gitconfig'),
    GIT_CONFIG_NOSYSTEM: '1',
  };
}

/** Restarts a machine with a history in its vault. Settings of Git are those of `homeOf(machine)`. */
export function withHistory(
  machine: Machine,
  git: Partial<NonNullable<EmployeeConfig['git']>> = {},
  env: NodeJS.ProcessEnv = {},
): AgentWithHistory {
  const lines: string[] = [];
  const home = homeOf(machine);
  mkdirSync(home, { recursive: true });
  const agent = machine.restart({
    config: { ...machine.agent.config, git: GitSettings.parse(git) },
    log: (line) => lines.push(line),
  });
  return { ...agent, history: createGitHistory(agent, { env: { ...gitEnv(home), ...env } }), lines };
}

/** The owner's home folder on a machine. */
export function homeOf(machine: Machine): string {
  return path.join(path.dirname(machine.vault), 'home');
}

/** Runs git as the owner of a machine would, in the vault or in another folder. */
export function ownersGit(machine: Machine, args: readonly string[], folder = machine.vault): string {
  const identity = ['-c', 'user.name=Robin', '-c', 'user.email=robin@example.com'];
  mkdirSync(homeOf(machine), { recursive: true });
  return execFileSync('git', [...identity, ...args], {
    cwd: folder,
    env: gitEnv(homeOf(machine)),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The paths that the last commit has. */
export function committedPaths(machine: Machine): string[] {
  return ownersGit(machine, ['ls-tree', '-r', '-z', '--name-only', 'HEAD'])
    .split('\0')
    .filter(Boolean)
    .sort();
}

/** Writes a file of the vault, with its folders. */
export function write(machine: Machine, at: string, bytes: string | Uint8Array): void {
  const file = path.join(machine.vault, at);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

/** What a `git` that stands in front of the real one does before it, as lines of a shell script. */
export interface WrappedGit {
  readonly env: NodeJS.ProcessEnv;
  /** The commands that were run, one a line. */
  readonly commands: () => string[];
}

/** Puts a script in front of `git`, which sees `$*`, knows the real one as `$REAL`, and may end. What it lets through is logged and run. */
export function wrapGit(machine: Machine, script = ''): WrappedGit {
  const bin = path.join(homeOf(machine), 'bin');
  const log = path.join(homeOf(machine), 'git.log');
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  mkdirSync(bin, { recursive: true });
  writeFileSync(log, '');
  writeFileSync(
    path.join(bin, 'git'),
    `#!/bin/sh\nREAL='${real}'\nprintf '%s\\n' "$*" | head -n 1 >> '${log}'\n${script}\nexec '${real}' "$@"\n`,
    { mode: 0o755 },
  );
  return {
    env: { PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` },
    commands: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
  };
}

/** Puts a hook of the owner into the vault's repository. */
export function writeHook(machine: Machine, name: string, script: string, folder = '.git/hooks'): void {
  const hooks = path.resolve(machine.vault, folder);
  mkdirSync(hooks, { recursive: true });
  writeFileSync(path.join(hooks, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** The messages of all commits of the branch, newest first. */
export function messages(machine: Machine): string[] {
  return ownersGit(machine, ['log', '-z', '--format=%B']).split('\0').filter(Boolean);
}
