import { createQueueFunction } from '#lambdas/runtime/queue-function.ts';
import type { QueueHandler } from '#lambdas/runtime/queue-function.ts';
import { readDelivery } from '#lambdas/runtime/ses-notification.ts';
import type { ZoneSource } from '#lambdas/runtime/zone-session.ts';
import type { TriageEnv } from './env.ts';
import { triageBatch } from './triage.ts';
import type { TriagePorts } from './triage.ts';

/** What the function is made of; the zone brings session and keys. */
export interface TriageParts extends Pick<TriagePorts, 'tasks' | 'blobs' | 'mails' | 'parser' | 'drafting'> {
  readonly zone: ZoneSource;
}

/** The triage function: notifications of received mails in, tasks and drafting requests out. */
export function createTriageHandler(env: TriageEnv, { zone, ...ports }: TriageParts): QueueHandler {
  return createQueueFunction({
    env,
    read: (body) => {
      const delivery = readDelivery(body);
      // Whoever could publish a notification must not choose what this role reads.
      if (delivery && delivery.raw.bucket !== env.INBOUND_BUCKET)
        throw new Error('the mail is in another bucket than ours');
      return delivery;
    },
    correlationId: ({ sesMessageId }) => sesMessageId,
    work: (records) =>
      zone.use(({ session, keyring }) =>
        triageBatch(
          records.map(({ recordId, value }) => ({ recordId, delivery: value })),
          { ...ports, session, keyring, ownAddresses: env.OWN_ADDRESSES },
        ),
      ),
  });
}
