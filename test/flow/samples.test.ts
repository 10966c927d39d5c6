import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syncVault } from '#local-agent/sync/sync.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import { planOf } from '#local-agent/plan.ts';
import type { Plan } from '#local-agent/plan.ts';
import { readExpectedMails } from '#test/support/example-mails.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

const expectedMails = await readExpectedMails();

describe('every sample mail ends where a sensible owner wants it', () => {
  let world: FlowWorld;
  const ended = new Map<
    string,
    { task: TaskView | undefined; path: string | undefined; plan: Plan | undefined }
  >();

  beforeAll(async () => {
    world = await createFlowWorld();
    const sesIds: string[] = [];
    for (const { file } of expectedMails) {
      await world.sendExample(file);
      const { mail } = JSON.parse(world.notifications.at(-1) ?? '{}') as { mail: { messageId: string } };
      sesIds.push(mail.messageId);
    }
    await world.withAgent(async (agent) => {
      await syncVault(agent);
      for (const [index, { file }] of expectedMails.entries()) {
        const task = agent.session.state.tasks.get(taskIdOfMail(sesIds[index] ?? ''));
        const place = task && notePath(task);
        const bytes = place === undefined ? undefined : await agent.files.read(place);
        const plan =
          task?.state === 'pending_approval' && bytes ? await planOf(agent, task, bytes) : undefined;
        ended.set(file, { task, path: place, plan });
      }
    });
  }, 120_000);
  afterAll(() => world.close());

  it.each(expectedMails)('$file ($about)', (expected) => {
    const { task, path: place, plan } = ended.get(expected.file) ?? {};
    expect(task?.state).toBe(expected.state);
    expect(place?.split('/')[0] ?? null).toBe(expected.folder);
    if (place !== undefined) expect(existsSync(path.join(world.vault, place))).toBe(true);
    if (expected.state === 'ignored') expect(task?.reason).toBeTruthy();
    expect([...(task?.warnings ?? [])].sort()).toEqual([...expected.warnings].sort());
    const [action] = plan?.actions ?? [];
    expect(action?.to ?? []).toEqual(expected.draftTo);
    if (expected.subject !== null && action) expect(action.subject).toBe(expected.subject);
  });

  it('and not one of them made anything go out', async () => {
    expect(await world.sent()).toEqual([]);
    expect(world.cloud.calls.total({ service: 'ses' })).toBe(0);
  });
});
