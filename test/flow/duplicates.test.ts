import { afterAll, beforeAll, expect, it } from 'vitest';
import { syncVault } from '#local-agent/sync/sync.ts';
import { enqueueNotifications, underAnotherId } from '#test/support/enqueue.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';

let world: FlowWorld;

beforeAll(async () => {
  world = await createFlowWorld();
}, 60_000);
afterAll(() => world.close());

it(
  '1,000 deliveries of one notification, shuffled among others, make one task and one draft',
  { timeout: 120_000 },
  async () => {
    for (const file of ['question.eml', 'newsletter.eml', 'fyi-note.eml']) await world.sendExample(file);
    const [question = '', ...others] = world.notifications;
    // The same raw mails under SES ids that were never seen: nothing of them has been dealt with.
    const copies = Array.from({ length: 1000 }, () => underAnotherId(question, 'the-one-mail'));
    const rest = Array.from({ length: 100 }, (_, i) =>
      underAnotherId(others[i % 2] ?? '', `another-mail-${i % 10}`),
    );
    await enqueueNotifications(world, shuffled([...copies, ...rest], 7));
    await world.withAgent(async (agent) => {
      await syncVault(agent);
      const tasks = [...agent.session.state.tasks.values()].filter(
        (task) => task.mail?.sesMessageId === 'the-one-mail',
      );
      expect(tasks).toMatchObject([{ state: 'pending_approval', epoch: 1 }]);
      const ids = [...agent.session.state.tasks.values()].map((task) => task.mail?.sesMessageId ?? '');
      expect(ids.filter((id) => id.startsWith('another-mail-')).sort()).toEqual(
        Array.from({ length: 10 }, (_, i) => `another-mail-${i}`),
      );
      expect(agent.session.state.refusals.filter(({ severity }) => severity === 'incident')).toEqual([]);
    });
    const depths = world.cloud.queueDepths();
    expect(
      Object.entries(depths).filter(([name, depth]) => /dlq|dead/i.test(name) && depth.visible > 0),
    ).toEqual([]);
  },
);

/** Fisher–Yates with a small seeded generator, so that a failure can be seen again. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const deck = [...items];
  let state = seed;
  for (let i = deck.length - 1; i > 0; i--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const j = state % (i + 1);
    const [a, b] = [deck[i], deck[j]];
    if (a !== undefined && b !== undefined) [deck[i], deck[j]] = [b, a];
  }
  return deck;
}
