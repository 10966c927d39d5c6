import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { FlowWorld } from './flow-world.ts';

/**
 * Puts notifications on the inbound queue once more, ten a call, as a queue that delivers twice does, and
 * waits until the cloud has nothing left to do.
 */
export async function enqueueNotifications({ cloud }: FlowWorld, bodies: readonly string[]): Promise<void> {
  const sqs = new SQSClient({
    region: cloud.region,
    endpoint: cloud.endpoints.sqs,
    credentials: cloud.credentialsFor('owner'),
  });
  for (let at = 0; at < bodies.length; at += 10) {
    const Entries = bodies
      .slice(at, at + 10)
      .map((body, index) => ({ Id: String(index), MessageBody: asciiJson(body) }));
    const { Failed = [] } = await sqs.send(
      new SendMessageBatchCommand({ QueueUrl: cloud.outputs['InboundQueueUrl'], Entries }),
    );
    if (Failed.length > 0) throw new Error(`the queue refused a message: ${Failed[0]?.Message ?? ''}`);
  }
  sqs.destroy();
  await cloud.settle();
}

/** The same mail under another SES message id: a mail that was never dealt with. */
export function underAnotherId(notification: string, sesMessageId: string): string {
  const { mail } = JSON.parse(notification) as { mail: { messageId: string } };
  return notification.replace(`"messageId":"${mail.messageId}"`, `"messageId":"${sesMessageId}"`);
}

/** The emulated queue refuses what lies beyond the basic plane; in JSON it can be written otherwise. */
function asciiJson(json: string): string {
  return json.replace(
    /[^\u0020-\u007e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
