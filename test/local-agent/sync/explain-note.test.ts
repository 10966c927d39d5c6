import { afterEach, expect, it } from 'vitest';
import { explainWaiting, waiting } from '#local-agent/sync/explain-note.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

let world: LocalWorld | undefined;
afterEach(() => world?.dispose());

it('an explanation for a note whose contents are not what the ledger names waits, and keeps no other', async () => {
  world = await createLocalWorld();
  const { agent } = world;
  const [altered, sound] = [await world.draft('lunch'), await world.draft('dinner')];
  await syncVault(agent);
  const task = agent.session.state.tasks.get(altered);
  if (!task?.note) throw new Error('arranged badly');
  task.note = { ...task.note, content: { ...task.note.content, sha256: '0'.repeat(64) } };
  const explanation = { what: 'Put back', why: 'it was moved' };
  agent.copy.setFact('explanations', JSON.stringify({ [altered]: explanation, [sound]: explanation }));
  expect((await explainWaiting(agent)).map(({ taskId }) => taskId)).toEqual([sound]);
  expect(waiting(agent)).toEqual({ [altered]: explanation });
});
