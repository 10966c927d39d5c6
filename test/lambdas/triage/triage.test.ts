import { describe, expect, it } from 'vitest';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { Delivery, ParsedMail } from '#protocol/mail.ts';
import { notePath } from '#protocol/vault-state.ts';
import { createCloudWorld, mailText } from '../cloud-world.ts';
import type { CloudWorld } from '../cloud-world.ts';

const NEWSLETTER = mailText('news', { headers: ['List-Unsubscribe: <mailto:x@news.example>'] });
const NOTICE = mailText('fyi', { text: 'FYI: the office is closed on Monday. No need to reply.' });

describe('triage', () => {
  it('makes a task with a note and asks for a draft of what wants an answer', async () => {
    const world = createCloudWorld();
    const [outcome] = await world.triage([world.deliver('one')]);
    const taskId = taskIdOfMail('one');
    expect(outcome).toMatchObject({ taskId, status: 'respond', reason: 'question' });
    expect(world.queue.messages).toEqual([{ taskId, correlationId: 'one' }]);
    const task = (await world.state()).tasks.get(taskId);
    expect(task).toMatchObject({ state: 'needs_action', home: 'cloud', warnings: [] });
    expect(task && notePath(task)).toBe(`Needs_Action/2026-11-21 Opening hours (${taskId.slice(0, 8)}).md`);
    expect(world.tasks.items.get(taskId)?.state).toBe('received');
  });

  it('settles the items of what wants no answer', async () => {
    const world = createCloudWorld();
    const outcomes = await world.triage([
      world.deliver('news', NEWSLETTER),
      world.deliver('fyi', NOTICE),
      world.deliver('virus', undefined, { authentication: { ...passed(), virus: 'FAIL' } }),
    ]);
    expect(outcomes.map(({ status, reason }) => [status, reason])).toEqual([
      ['ignore', 'list'],
      ['notify', 'fyi'],
      ['quarantine', 'virus'],
    ]);
    expect([...world.tasks.items.values()].map(({ state, home }) => [state, home])).toEqual([
      ['ignored', 'local'],
      ['needs_action', 'local'],
      ['quarantined', 'local'],
    ]);
    expect(world.queue.messages).toEqual([]);
    expect(world.calls.filter((call) => call === 'mails.read')).toHaveLength(2);
  });

  it('fails the record whose raw mail is not there, and only that', async () => {
    const world = createCloudWorld();
    const gone = { ...world.deliver('gone'), raw: { bucket: 'inbound', key: 'inbound/nowhere' } };
    const outcomes = await world.triage([gone, world.deliver('here')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'respond']);
    const [again] = await world.triage([world.deliver('gone')]);
    expect(again?.status).toBe('respond');
  });

  it('quarantines what cannot be read, with the raw mail named and none of its text shown', async () => {
    const world = createCloudWorld();
    const [outcome] = await world.triage([world.deliver('broken', 'this is no mail at all')]);
    expect(outcome).toMatchObject({ status: 'quarantine', reason: 'unparseable' });
    const task = (await world.state()).tasks.get(taskIdOfMail('broken'));
    const text = task?.note && 'text' in task.note.content ? task.note.content.text : '';
    expect(text).toContain('s3://inbound/inbound/broken');
    expect(text).not.toContain('this is no mail');
  });

  it('a parser that crashes on one mail does not fail the others', async () => {
    const world = createCloudWorld();
    const outcomes = await world.triage([world.deliver('bad', 'CRASH: 1\n\nx'), world.deliver('good')], {
      parser: {
        parse: async (raw) => {
          if (Buffer.from(raw).toString().startsWith('CRASH')) throw new Error('the parser crashed');
          return parsed();
        },
      },
    });
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'respond']);
  });

  it('reads no more than five mails at once', async () => {
    const world = createCloudWorld();
    let [now, most] = [0, 0];
    const deliveries = Array.from({ length: 10 }, (_, i) => world.deliver(`mail-${i}`));
    await world.triage(deliveries, {
      parser: {
        parse: async () => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setImmediate(resolve));
          now--;
          return parsed();
        },
      },
    });
    expect(most).toBe(5);
  });

  it('gives two tasks of one day and subject two notes', async () => {
    const world = createCloudWorld();
    await world.triage([world.deliver('a'), world.deliver('b')]);
    const names = [...(await world.state()).tasks.values()].map(({ note }) => note?.name);
    expect(new Set(names).size).toBe(2);
  });

  it('parts what is too large for one entry', async () => {
    const world = createCloudWorld();
    const references = Array.from({ length: 200 }, (_, i) => `<${'r'.repeat(480)}-${i}@linden.example>`).join(
      '\n ',
    );
    const deliveries = Array.from({ length: 10 }, (_, i) =>
      world.deliver(`big-${i}`, mailText(`big-${i}`, { headers: [`References: ${references}`] })),
    );
    await world.triage(deliveries);
    const sizes = world.ledger.rows.map(({ entry }) => Buffer.byteLength(JSON.stringify(entry)));
    expect(Math.max(...sizes)).toBeLessThan(300 * 1024);
    expect(world.ledger.rows.length).toBeGreaterThan(2);
    expect((await world.state()).tasks.size).toBe(10);
  });

  it('puts a long text into a sealed blob that opens to the note', async () => {
    const world = createCloudWorld();
    await world.triage([
      world.deliver('long', mailText('long', { text: `Can you read this?\n\n${'word '.repeat(4000)}` })),
    ]);
    const content = (await world.state()).tasks.get(taskIdOfMail('long'))?.note?.content;
    expect(content && 'blob' in content).toBe(true);
    expect(world.blobs.blobs.size).toBe(1);
    expect([...world.blobs.blobs.values()].some((sealed) => Buffer.from(sealed).includes('word word'))).toBe(
      false,
    );
  });
});

describe('a duplicate', () => {
  it('costs one call once the first is through', async () => {
    const world = createCloudWorld();
    const delivery = world.deliver('fyi', NOTICE);
    await world.triage([delivery]);
    world.fail({ at: 0, when: 'before' });
    const [outcome] = await world.triage([delivery]);
    expect(outcome?.status).toBe('duplicate');
    expect(world.calls).toEqual(['tasks.begin']);
  });

  it('of a mail whose draft was asked for and not begun asks again, without another look at the mail', async () => {
    const world = createCloudWorld();
    const delivery = world.deliver('one');
    await world.triage([delivery]);
    world.fail({ at: 0, when: 'before' });
    expect(await world.triage([delivery])).toMatchObject([{ status: 'respond', reason: 'question' }]);
    expect(world.calls).toEqual(['tasks.begin', 'ledger.read', 'queue.send']);
  });

  it('in the same batch shares the fate of the first', async () => {
    const world = createCloudWorld();
    const delivery = world.deliver('one');
    expect((await world.triage([delivery, delivery])).map(({ status }) => status)).toEqual([
      'respond',
      'duplicate',
    ]);
    const gone = { ...delivery, sesMessageId: 'gone', raw: { bucket: 'inbound', key: 'nowhere' } };
    expect((await world.triage([gone, gone])).map(({ status }) => status)).toEqual(['failed', 'failed']);
  });

  it('a thousand times, shuffled among others and drafted in between, makes one task', async () => {
    const world = createCloudWorld();
    const others = Array.from({ length: 10 }, (_, i) => world.deliver(`other-${i}`));
    const all = shuffled([...Array.from({ length: 1000 }, () => world.deliver('the-one')), ...others]);
    for (let at = 0; at < all.length; at += 10) {
      await world.triage(all.slice(at, at + 10));
      if (at % 200 === 0) await world.draft(world.queue.messages.splice(0), { attempt: `try-${at}` });
    }
    await world.draft(world.queue.messages.splice(0), { attempt: 'last' });
    const state = await world.state();
    expect(state.tasks.size).toBe(11);
    expect(state.refusals).toEqual([]);
    expect(
      [...state.tasks.values()].every((task) => task.state === 'pending_approval' && task.epoch === 1),
    ).toBe(true);
  });

  it('at the same time in two functions makes one task, and no reader sees an incident', async () => {
    const world = createCloudWorld();
    const delivery = world.deliver('one');
    const second = world.factory.session(world.factory.cloud, world.ledger);
    await Promise.all([
      world.triage([delivery]),
      world.triage([delivery], { session: second, keyring: world.factory.cloud.keyring }),
    ]);
    const state = await world.state();
    expect(state.tasks.size).toBe(1);
    expect(state.refusals).toEqual([]);
  });
});

describe('a call that fails, and the redelivery', () => {
  const batch = (world: CloudWorld): Delivery[] => [
    world.deliver('ask'),
    world.deliver('news', NEWSLETTER),
    world.deliver('fyi', NOTICE),
    world.deliver('long', mailText('long', { text: `Can you read this?\n\n${'word '.repeat(4000)}` })),
  ];
  const end = async (world: CloudWorld): Promise<unknown> => {
    const state = await world.state();
    return {
      tasks: [...state.tasks.values()]
        .map(({ taskId, state: at, home, reason }) => ({ taskId, at, home, reason }))
        .sort(byId),
      items: [...world.tasks.items.values()]
        .map(({ taskId, state: at, home }) => ({ taskId, at, home }))
        .sort(byId),
      asked: [...new Set(world.queue.messages.map(({ taskId }) => taskId))].sort(),
      refusals: state.refusals,
    };
  };

  it('end in the same state as if nothing had failed, whichever call it was', async () => {
    const calm = createCloudWorld();
    await calm.triage(batch(calm));
    const expected = await end(calm);
    const count = calm.calls.length;
    expect(count).toBeGreaterThan(10);
    for (let at = 1; at <= count; at++) {
      for (const when of ['before', 'after'] as const) {
        const world = createCloudWorld();
        const deliveries = batch(world);
        world.fail({ at, when });
        let waiting = deliveries;
        for (let tries = 0; tries < 3 && waiting.length > 0; tries++) {
          const outcomes = await world.triage(waiting).catch(() => undefined);
          waiting = waiting.filter((_, i) => (outcomes ? outcomes[i]?.status === 'failed' : true));
        }
        // And all of them once more: an event source may deliver what was dealt with.
        await world.triage(deliveries);
        expect({ at, when, ...((await end(world)) as object) }).toEqual({
          at,
          when,
          ...(expected as object),
        });
      }
    }
  });
});

it('a lone mail takes nine calls from the queue to the approval request, ten take 45', async () => {
  const world = createCloudWorld();
  await world.triage([world.deliver('warm-up', NOTICE)]);
  for (const [size, budget] of [
    [1, 9],
    [10, 45],
  ] as const) {
    const deliveries = Array.from({ length: size }, (_, i) => world.deliver(`batch-${size}-${i}`));
    world.fail({ at: 0, when: 'before' });
    await world.triage(deliveries);
    const outcomes = await world.draft(world.queue.messages.splice(0), { attempt: `batch-${size}` });
    expect(outcomes.every(({ status }) => status === 'drafted')).toBe(true);
    expect(world.calls.length, world.calls.join(' ')).toBeLessThanOrEqual(budget);
  }
});

function passed(): Delivery['authentication'] {
  return { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' };
}

function parsed(): ParsedMail {
  return {
    references: [],
    from: [{ address: 'maya@linden.example' }],
    replyTo: [],
    to: [{ address: 'assistant@example.com' }],
    cc: [],
    subject: 'Hours',
    text: 'When do you open?',
    textTruncated: false,
    hiddenText: false,
    attachments: [],
    list: false,
    autoResponseSuppress: false,
    defects: [],
  };
}

function byId(a: { readonly taskId: string }, b: { readonly taskId: string }): number {
  return a.taskId < b.taskId ? -1 : 1;
}

/** Fisher–Yates with a small seeded generator, so that a failure can be seen again. */
function shuffled<T>(items: readonly T[]): T[] {
  const deck = [...items];
  let seed = 7;
  for (let i = deck.length - 1; i > 0; i--) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    const j = seed % (i + 1);
    const [a, b] = [deck[i], deck[j]];
    if (a !== undefined && b !== undefined) [deck[i], deck[j]] = [b, a];
  }
  return deck;
}
