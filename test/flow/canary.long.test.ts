import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { flowStarts } from '#test/support/flow-starts.ts';

const { start } = flowStarts();

it('employee canary says what to send, and where it came out; without a mail it says where to look', async () => {
  const world = await start();
  const { file, args, env } = world.command('canary', '--minutes', '2', '--json');
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout = text(child.stdout);
  const exit = once(child, 'exit');
  let said = '';
  const subject = await new Promise<string>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      const named = /^\s*(canary [a-z2-9]{8})$/m.exec(said)?.[1];
      if (named !== undefined) resolve(named);
    });
  });
  expect(said).toContain('send a mail to assistant@example.com');
  // Capitals are what some mail programs make of it, and a gateway may put words before it.
  await world.deliver(
    `From: a@example.org\r\nSubject: [EXT] ${subject.toUpperCase()}\r\n\r\nIs this on?\r\n`,
  );
  expect(await exit).toEqual([0, null]);
  expect(JSON.parse(await stdout)).toMatchObject({
    ok: true,
    subject,
    arrival: {
      subject: `[EXT] ${subject.toUpperCase()}`,
      sender: expect.stringContaining('a@example.org') as string,
    },
  });

  const missing = await world.employee('canary', '--subject', 'never sent', '--minutes', '0.01');
  expect(missing.code).toBe(1);
  expect(missing.stdout).toContain('no mail with "never sent"');
  expect((await world.employee('canary', '--subject', 'abc')).code).toBe(2);
});
