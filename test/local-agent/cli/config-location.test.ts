import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readCliEnv } from '#local-agent/cli-env.ts';
import { locateConfig } from '#local-agent/config-location.ts';

let checkout: string;
beforeEach(async () => {
  checkout = await mkdtemp(path.join(tmpdir(), 'employee-where-'));
});
afterEach(() => rm(checkout, { recursive: true, force: true }));

const env = (variables: Record<string, string> = {}): ReturnType<typeof readCliEnv> =>
  readCliEnv({ XDG_CONFIG_HOME: '/xdg', ...variables });

async function usedCheckout(): Promise<string> {
  const file = path.join(checkout, '.local-cloud', 'config', 'employee.json');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, '{}');
  return file;
}

it('the command line wins over the environment, and that over the local cloud', async () => {
  const local = await usedCheckout();
  const variables = env({ EMPLOYEE_CONFIG: 'e.json' });
  expect(locateConfig({ config: 'o.json' }, variables, checkout)).toEqual({
    configFile: path.join(checkout, 'o.json'),
    because: '--config',
  });
  expect(locateConfig({}, variables, checkout).configFile).toBe(path.join(checkout, 'e.json'));
  expect(locateConfig({}, env(), checkout).configFile).toBe(local);
});

it('in a folder below a checkout whose local cloud was used, that one is meant', async () => {
  const local = await usedCheckout();
  const below = path.join(checkout, 'docs', 'more');
  expect(locateConfig({}, env(), below)).toEqual({
    configFile: local,
    because: 'the local cloud of this checkout',
  });
});

it('everywhere else it is the one of the XDG folder', () => {
  expect(locateConfig({}, env(), checkout)).toEqual({
    configFile: '/xdg/ai-employee/employee.json',
    because: 'the default place',
  });
});

it('a relative XDG folder and empty variables count as none', () => {
  const read = readCliEnv({ XDG_CONFIG_HOME: 'rel', EMPLOYEE_CONFIG: '', EMPLOYEE_VAULT: '' });
  expect(path.isAbsolute(read.configHome)).toBe(true);
  expect(read).toMatchObject({ config: undefined, vault: undefined });
});

it('a vault is relative to where the person stands', () => {
  expect(locateConfig({ vault: 'v' }, env(), checkout).vault).toBe(path.join(checkout, 'v'));
  expect(locateConfig({}, env({ EMPLOYEE_VAULT: '/e' }), checkout).vault).toBe('/e');
  expect(locateConfig({}, env(), checkout)).not.toHaveProperty('vault');
});
