import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { repositoryDir } from '#infra/paths.ts';
import { jsonOf } from '#protocol/json-of.ts';

/** What a command answered. `json` is its one document, with `--json`. */
export interface CommandResult {
  readonly code: number;
  readonly json: unknown;
  readonly stderr: string;
}

const CLI = join(repositoryDir, 'local-agent', 'cli.ts');

/** Runs `employee … --json` as the process that a person would start, against one config. */
export function runEmployee(config: string, ...args: string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    const all = ['--disable-warning=ExperimentalWarning', CLI, ...args, '--config', config, '--json'];
    execFile(process.execPath, all, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, json: jsonOf(stdout), stderr });
    });
  });
}
