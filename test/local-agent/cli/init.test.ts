import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { VAULT_FOLDERS } from '#protocol/vault-path.ts';
import { freshMachine, madeBy } from './owners-machine.ts';

const STARTER = path.resolve(import.meta.dirname, '../../../examples/vault');

describe('the first init', () => {
  it('makes keys, config, secret, ledger and vault, and syncs them', async () => {
    const machine = await freshMachine();
    expect(await madeBy(machine, '--agent', 'laptop')).toEqual([
      'keys',
      'config',
      "the cloud zone's secret",
      'the first entry of the ledger',
    ]);
    expect((await stat(machine.keysFile)).mode & 0o777).toBe(0o600);
    expect((await stat(machine.configFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(machine.vault)).toEqual(
      expect.arrayContaining([...VAULT_FOLDERS, 'Handbook.md', 'Policy.yaml']),
    );
    expect(await readFile(path.join(machine.vault, 'Handbook.md'))).toEqual(
      await readFile(path.join(STARTER, 'Handbook.md')),
    );
    const config = await machine.json(machine.configFile);
    expect(await machine.json(path.join(machine.vault, '.employee-vault'))).toEqual({
      vaultId: config['vaultId'],
    });
    const verified = await machine.employee('verify', '--json');
    expect(verified.status).toBe(0);
  });

  it('gives the cloud zone a signing key of its own and no private vault key', async () => {
    const machine = await freshMachine();
    await madeBy(machine);
    const keys = await machine.json(machine.keysFile);
    const secret = await machine.secret();
    const text = JSON.stringify(secret);
    const { signing, approval, keyring } = keys as {
      signing: { publicKey: string; privateKey: string };
      approval: { privateKey: string };
      keyring: { shared: string; private: string }[];
    };
    expect(secret.root).toBe(signing.publicKey);
    expect(text).toContain(keyring[0]?.shared);
    for (const own of [signing.privateKey, approval.privateKey, keyring[0]?.private])
      expect(text).not.toContain(own);
  });

  it('writes the secret as the owner, and everything else as the agent', async () => {
    const machine = await freshMachine();
    await madeBy(machine);
    const callers = (service: 'secretsmanager' | 'dynamodb'): string[] => [
      ...new Set(machine.emulators.calls.list({ service }).map((call) => call.accessKeyId)),
    ];
    expect(callers('secretsmanager')).toEqual(['AKIALOCALPLATFORM', 'AKIALOCALOWNER']);
    expect(callers('dynamodb')).toEqual(['AKIALOCALPLATFORM', 'AKIALOCALAGENT']);
  });

  it('adopts an Obsidian vault: adds what is missing, replaces nothing', async () => {
    const machine = await freshMachine();
    await mkdir(path.join(machine.vault, '.obsidian'), { recursive: true });
    await writeFile(path.join(machine.vault, 'Handbook.md'), 'mine');
    await writeFile(path.join(machine.vault, 'Ideas.md'), 'also mine');
    await madeBy(machine);
    expect(await readFile(path.join(machine.vault, 'Handbook.md'), 'utf8')).toBe('mine');
    expect(await readFile(path.join(machine.vault, 'Ideas.md'), 'utf8')).toBe('also mine');
    expect(await readdir(machine.vault)).toEqual(expect.arrayContaining(['Welcome.md', 'Pending_Approval']));
  });

  it('asks before it takes a folder of files, and makes nothing until then', async () => {
    const machine = await freshMachine();
    await mkdir(machine.vault);
    await writeFile(path.join(machine.vault, 'taxes.txt'), 'x');
    const said = await machine.init();
    expect(said.status).toBe(3);
    expect(said.stderr).toContain('--adopt');
    expect(await readdir(machine.vault)).toEqual(['taxes.txt']);
    expect(await readdir(path.dirname(machine.configFile))).not.toContain('keys.json');
    await madeBy(machine, '--adopt');
  });

  it('never puts the keys inside the vault, nor takes the home folder', async () => {
    const machine = await freshMachine();
    const inside = await machine.init('--vault', path.dirname(machine.configFile));
    expect(inside).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('inside the vault') as string,
    });
    const above = await machine.init('--vault', machine.folder);
    expect(above).toMatchObject({ status: 2 });
  });
});

describe('another init', () => {
  it('finds everything there, and replaces no key', async () => {
    const machine = await freshMachine();
    await madeBy(machine);
    const [keys, secret] = [await readFile(machine.keysFile, 'utf8'), await machine.secret()];
    expect(await madeBy(machine)).toEqual([]);
    expect(await readFile(machine.keysFile, 'utf8')).toBe(keys);
    expect(await machine.secret()).toEqual(secret);
  });

  it('does not bring back a starter file that the owner removed', async () => {
    const machine = await freshMachine();
    await madeBy(machine);
    await rm(path.join(machine.vault, 'Welcome.md'));
    await madeBy(machine);
    expect(await readdir(machine.vault)).not.toContain('Welcome.md');
  });

  it('refuses an empty folder where the vault was, since that would delete everything', async () => {
    const machine = await freshMachine();
    await madeBy(machine);
    await rm(machine.vault, { recursive: true });
    const said = await machine.init();
    expect(said).toMatchObject({ status: 2, stderr: expect.stringContaining('put it back') as string });
    await expect(stat(machine.vault)).rejects.toThrow('ENOENT');
  });

  it('refuses to rename the machine', async () => {
    const machine = await freshMachine();
    await madeBy(machine, '--agent', 'laptop');
    expect(await machine.init('--agent', 'desktop')).toMatchObject({ status: 2 });
  });

  it('with other keys refuses a stack that was set up before, and changes nothing', async () => {
    const machine = await freshMachine();
    await madeBy(machine);
    const secret = await machine.secret();
    const other = path.join(machine.folder, 'other');
    const said = await machine.init(
      '--config',
      path.join(other, 'employee.json'),
      '--vault',
      path.join(other, 'vault'),
    );
    expect(said).toMatchObject({ status: 2, stderr: expect.stringContaining('another root key') as string });
    expect(await machine.secret()).toEqual(secret);
    expect(await readdir(other).catch(() => [])).not.toContain('keys.json');
  });
});
