import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

const Ready = z.object({ ready: z.literal(true), desk: z.url() });

let world: FlowWorld;
let daemon: ChildProcess | undefined;

beforeEach(async () => {
  world = await createFlowWorld();
}, 60_000);
afterEach(async () => {
  const ended = daemon && new Promise((resolve) => daemon?.once('exit', resolve));
  daemon?.kill('SIGTERM');
  await ended;
  await world.close();
});

/** Starts the daemon and answers the address of its desk. */
async function startDaemon(): Promise<string> {
  const { file, args, env } = world.command('run', '--json');
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  daemon = child;
  for await (const line of createInterface({ input: child.stdout })) {
    return Ready.parse(JSON.parse(line)).desk;
  }
  throw new Error('the daemon ended before it was ready');
}

async function noteIn(folder: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const names = await readdir(path.join(world.vault, folder));
      const name = names.find((entry) => !entry.startsWith('.'));
      if (name === undefined) throw new Error(`nothing in ${folder} yet`);
      return name;
    },
    { timeout: 20_000, interval: 20 },
  );
}

it('commands work beside the daemon, and each approved mail is sent once', { timeout: 90_000 }, async () => {
  await startDaemon();
  for (let round = 1; round <= 3; round++) {
    await world.sendExample('question.eml');
    const name = await noteIn('Pending_Approval');
    const id = /\((t[0-9a-f]+)\)\.md$/.exec(name)?.[1] ?? '';
    expect(await world.employee('approve', id)).toMatchObject({ code: 0 });
    const executed = await world.employee('execute', '--json');
    expect(executed, executed.stdout).toMatchObject({ code: 0 });
    expect(await world.sent()).toHaveLength(round);
  }
  expect(await world.employee('verify')).toMatchObject({ code: 0 });
});

it(
  'a note dragged into Approved is sent by the daemon after the undo time',
  { timeout: 60_000 },
  async () => {
    writeFileSync(path.join(world.vault, 'Policy.yaml'), 'version: 1\nundoSeconds: 0\n');
    const desk = await startDaemon();
    await world.sendExample('html-only.eml');
    const name = await noteIn('Pending_Approval');
    const page = async (): Promise<string> => (await fetch(desk)).text();
    await vi.waitFor(async () => expect(await page()).toContain('awl broken'), { timeout: 10_000 });
    renameSync(path.join(world.vault, 'Pending_Approval', name), path.join(world.vault, 'Approved', name));
    await noteIn('Done');
    expect(await world.sent()).toHaveLength(1);
  },
);
