import { existsSync } from 'node:fs';
import path from 'node:path';
import type { CliEnv } from './cli-env.ts';

const LOCAL_CLOUD_CONFIG = path.join('.local-cloud', 'config', 'employee.json');

/** Which config a command works with, and why that one. */
export interface ConfigLocation {
  readonly configFile: string;
  readonly because: '--config' | 'EMPLOYEE_CONFIG' | 'the local cloud of this checkout' | 'the default place';
  /** A vault named on the command line or by EMPLOYEE_VAULT, absolute; it stands in for the config's. */
  readonly vault?: string;
}

/**
 * Finds the config: `--config`, `EMPLOYEE_CONFIG`, the local cloud of the checkout one stands in (so that
 * commands work right after `npm start`), or `~/.config/ai-employee/employee.json`.
 */
export function locateConfig(
  options: { readonly config?: string | undefined; readonly vault?: string | undefined },
  env: CliEnv,
  cwd: string,
): ConfigLocation {
  const vault = options.vault ?? env.vault;
  return {
    ...findConfig(options.config, env, cwd),
    ...(vault === undefined ? {} : { vault: path.resolve(cwd, vault) }),
  };
}

function findConfig(option: string | undefined, env: CliEnv, cwd: string): Omit<ConfigLocation, 'vault'> {
  if (option !== undefined) return { configFile: path.resolve(cwd, option), because: '--config' };
  if (env.config !== undefined)
    return { configFile: path.resolve(cwd, env.config), because: 'EMPLOYEE_CONFIG' };
  const local = upwards(cwd);
  if (local !== undefined) return { configFile: local, because: 'the local cloud of this checkout' };
  return {
    configFile: path.join(env.configHome, 'ai-employee', 'employee.json'),
    because: 'the default place',
  };
}

function upwards(from: string): string | undefined {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, LOCAL_CLOUD_CONFIG);
    if (existsSync(candidate)) return candidate;
    if (folder === path.dirname(folder)) return undefined;
  }
}
