import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { parseNote } from '#protocol/note.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

const Inbox = z.array(
  z.object({ taskId: z.string(), short: z.string(), state: z.string(), path: z.string() }),
);

let world: FlowWorld;

beforeAll(async () => {
  world = await createFlowWorld();
}, 60_000);
afterAll(() => world.close());

it('a mail is answered: inbox, approve, execute, verify', { timeout: 60_000 }, async () => {
  await world.sendExample('thread.eml');
  expect((await world.employee('sync', '--json')).code).toBe(0);

  const inbox = await world.employee('inbox', '--json');
  expect(inbox.code).toBe(0);
  const [item] = Inbox.parse(JSON.parse(inbox.stdout));
  if (!item) throw new Error(`nothing in the inbox: ${inbox.stdout}`);
  expect(item.state).toBe('pending_approval');
  const note = parseNote(readFileSync(path.join(world.vault, item.path), 'utf8'));

  expect(await world.employee('approve', item.short, '--json')).toMatchObject({ code: 0 });
  expect(await world.sent()).toEqual([]);
  expect(await world.employee('execute', '--json')).toMatchObject({ code: 0 });

  const [sent, ...more] = await world.sent();
  expect(more).toEqual([]);
  expect(sent?.destinations).toEqual(note.front.to);
  expect(sent?.mail.subject).toMatch(/^Re: /);
  expect(sent?.mail.subject).toBe(note.front.subject);
  expect(sent?.mail.inReplyTo).toMatch(/^<.*>$/);
  expect(sent?.mail.references?.split(/\s+/)).toHaveLength(5);
  expect(sent?.mail.references).toContain(sent?.mail.inReplyTo);
  expect(sent?.mail.text?.replaceAll('\r\n', '\n')).toBe(note.draft);
  expect(await world.employee('verify', '--json')).toMatchObject({ code: 0 });
  const done = path.join(world.vault, item.path.replace('Pending_Approval', 'Done'));
  expect(parseNote(readFileSync(done, 'utf8'))).toEqual(note);

  const audit = await world.employee('audit', item.taskId);
  expect(audit.stdout).toMatch(/approved by owner[\s\S]*about to call email\/send_email[\s\S]*succeeded/);
  expect(await world.employee('execute', '--json')).toMatchObject({ code: 0 });
  expect(await world.sent()).toHaveLength(1);
});
