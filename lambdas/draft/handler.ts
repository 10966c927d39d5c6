import { createQueueFunction } from '#lambdas/runtime/queue-function.ts';
import type { QueueHandler } from '#lambdas/runtime/queue-function.ts';
import type { ZoneSource } from '#lambdas/runtime/zone-session.ts';
import { DraftRequest } from '#protocol/draft-request.ts';
import { draftBatch } from './draft.ts';
import type { DraftPorts } from './draft.ts';
import type { DraftEnv } from './env.ts';

/** What the function is made of; the zone brings session and keys. */
export interface DraftParts extends Pick<DraftPorts, 'tasks' | 'blobs' | 'model' | 'clock'> {
  readonly zone: ZoneSource;
}

/**
 * Twice the longest that the function may run, so that nobody takes over from a try that is still alive; and
 * a third of the time for which the queue hides a message, so that a redelivery is late enough to do so.
 */
const LEASE_MS = 120_000;

/** The draft function: drafting requests in, notes that wait for a person's approval out. */
export function createDraftHandler(env: DraftEnv, { zone, ...ports }: DraftParts): QueueHandler {
  const texts = new Map<string, string>();
  return createQueueFunction({
    env,
    read: (body) => DraftRequest.parse(JSON.parse(body)),
    correlationId: ({ correlationId }) => correlationId,
    work: (records) =>
      zone.use(({ session, keyring }) =>
        draftBatch(
          records.map(({ value, ...record }) => ({ ...record, request: value })),
          { ...ports, session, keyring, texts, fromAddress: env.FROM_ADDRESS, leaseMs: LEASE_MS },
        ),
      ),
  });
}
