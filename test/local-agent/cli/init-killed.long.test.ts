import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOwnersMachine, freshMachine, madeBy } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';

const CLI = path.resolve(import.meta.dirname, '../../../local-agent/cli.ts');

it.each([1, 2, 3, 4, 5, 6, 7])(
  'an init that is killed in its call %i of the cloud is completed by the next',
  async (fatal) => {
    let calls = 0;
    const running: { child?: ChildProcess } = {};
    const machine = await createOwnersMachine(({ accessKeyId }) => {
      if (/AGENT|OWNER/.test(accessKeyId) && ++calls === fatal) running.child?.kill('SIGKILL');
      return undefined;
    });
    try {
      const { stackFile, vault, configFile, folder } = machine;
      const args = [CLI, 'init', '--stack-file', stackFile, '--vault', vault, '--config', configFile];
      const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' });
      running.child = child;
      const signal = await new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)));
      expect(signal).toBe('SIGKILL');
      expect(await machine.init('--json')).toMatchObject({ status: 0, stderr: '' });
      expect(await machine.employee('verify')).toMatchObject({ status: 0 });
      const files = await readdir(vault, { recursive: true });
      expect(files).toEqual(expect.arrayContaining(['Welcome.md', 'Templates/reply.md', 'Pending_Approval']));
      expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    } finally {
      await machine.dispose();
    }
  },
);

describe('an init that was killed', () => {
  const lost: readonly (readonly [
    step: string,
    undo: (machine: OwnersMachine) => Promise<void>,
    made: string[],
  ])[] = [
    ['after the keys', ({ configFile }) => rm(configFile), ['config']],
    [
      'before the sync',
      async ({ configFile, vault }) => {
        await rm(path.join(path.dirname(configFile), 'ledger.db'));
        await rm(path.join(vault, 'Pending_Approval'), { recursive: true });
      },
      [],
    ],
  ];
  it.each(lost)('%s is completed by the next', async (_step, undo, made) => {
    const machine = await freshMachine();
    await madeBy(machine);
    const keys = await readFile(machine.keysFile, 'utf8');
    await undo(machine);
    expect(await madeBy(machine)).toEqual(made);
    expect(await readFile(machine.keysFile, 'utf8')).toBe(keys);
    expect(await machine.employee('verify')).toMatchObject({ status: 0 });
    expect(await readdir(machine.vault)).toContain('Pending_Approval');
  });

  it('while it marked the vault is completed by the next, which tidies up', async () => {
    const machine = await freshMachine();
    await mkdir(machine.vault);
    await writeFile(path.join(machine.vault, '..employee-vault.~1.tmp'), '{"vau');
    await mkdir(path.dirname(machine.keysFile));
    await writeFile(path.join(path.dirname(machine.keysFile), '.keys.json.~1.tmp'), '{"sig');
    await madeBy(machine);
    expect(await readdir(machine.vault)).not.toContain('..employee-vault.~1.tmp');
    expect(await readdir(path.dirname(machine.keysFile))).not.toContain('.keys.json.~1.tmp');
  });

  it('before the secret is completed by the next, with the same vault', async () => {
    const machine = await freshMachine();
    const [keys, config] = ['keys.json', 'employee.json'].map((name) => path.join(machine.folder, name));
    await madeBy(machine);
    const before = await machine.json(machine.configFile);
    await copyFile(machine.keysFile, keys ?? '');
    await copyFile(machine.configFile, config ?? '');
    const next = await freshMachine();
    await mkdir(path.dirname(next.configFile));
    await copyFile(keys ?? '', next.keysFile);
    await writeFile(next.configFile, JSON.stringify({ ...before, vault: next.vault }));
    expect(await madeBy(next)).toEqual(["the cloud zone's secret", 'the first entry of the ledger']);
    expect((await next.secret()).vaultId).toBe(before['vaultId']);
  });
});
