import { expect, it } from 'vitest';
import { inbox } from '#local-agent/inbox.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { createLocalWorld, mailRecord } from '#test/support/local-world.ts';

it('a mail without a subject or a readable sender still has both in the inbox', async () => {
  const world = await createLocalWorld(['laptop']);
  try {
    const { from: _from, ...rest } = mailRecord('scan');
    const mail = { ...rest, subject: '', envelopeFrom: 'scan@copier.example' };
    const taskId = taskIdOfMail('scan');
    const change = { taskId, epoch: 0, event: 'created', state: 'quarantined', mail } as const;
    await world.forge('cloud', { kind: 'task', changes: [change] });
    await world.agent.session.pull();
    expect(inbox(world.agent)).toMatchObject([
      { subject: '(no subject)', from: 'scan@copier.example (envelope)' },
    ]);
  } finally {
    world.dispose();
  }
});
