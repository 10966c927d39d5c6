import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createOwnersMachine } from './owners-machine.ts';

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
