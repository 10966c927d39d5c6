import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acquireLock } from '#local-agent/lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'employee-lock-'));
});
let child: ChildProcess | undefined;
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const silent = (): void => undefined;

it('a second holder waits until the first gives the lock back', async () => {
  const first = await acquireLock(folder, silent);
  const order: string[] = [];
  const second = acquireLock(folder, silent).then((lock) => {
    order.push('second');
    return lock;
  });
  await expect(acquireLock(folder, silent, 50)).rejects.toMatchObject({ code: 'AGENT_BUSY' });
  order.push('first');
  first.release();
  (await second).release();
  expect(order).toEqual(['first', 'second']);
});

it('whoever waits in vain is told which process holds it', async () => {
  const lock = await acquireLock(folder, silent);
  await expect(acquireLock(folder, silent, 30)).rejects.toThrow(`process ${process.pid}`);
  lock.release();
});

it('giving it back twice does not take it from the next holder', async () => {
  const first = await acquireLock(folder, silent);
  first.release();
  const second = await acquireLock(folder, silent);
  first.release();
  await expect(acquireLock(folder, silent, 30)).rejects.toMatchObject({ code: 'AGENT_BUSY' });
  second.release();
});

it('after a second of waiting one line says whom one waits for, once', async () => {
  const lock = await acquireLock(folder, silent);
  const lines: string[] = [];
  await expect(acquireLock(folder, (line) => lines.push(line), 1_300)).rejects.toMatchObject({
    code: 'AGENT_BUSY',
  });
  expect(lines).toEqual([`waiting for another employee process (process ${process.pid}) to finish …`]);
  lock.release();
});

it('the lock of a process that was killed is free at once', async () => {
  const module = path.resolve(import.meta.dirname, '../../../local-agent/lock.ts');
  const code = `import { acquireLock } from ${JSON.stringify(module)};
    await acquireLock(process.argv[1], () => undefined); console.log('held'); setInterval(() => {}, 1000);`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code, folder];
  const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child = holder;
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  await expect(acquireLock(folder, silent, 30)).rejects.toThrow(`process ${holder.pid}`);
  const ended = new Promise((resolve) => holder.once('exit', resolve));
  holder.kill('SIGKILL');
  await ended;
  (await acquireLock(folder, silent, 0)).release();
});
