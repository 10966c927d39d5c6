import { z } from 'zod';
import { Instant } from '#protocol/ids.ts';
import { Verdict } from '#protocol/mail.ts';
import type { Delivery } from '#protocol/mail.ts';

// A verdict that SES invents tomorrow proves nothing today.
const StatusOf = z
  .object({ status: Verdict.catch('ABSENT') })
  .optional()
  .transform((verdict) => verdict?.status ?? 'ABSENT');

const Policy = z
  .string()
  .transform((policy) => policy.toLowerCase())
  .pipe(z.enum(['none', 'quarantine', 'reject']))
  .optional()
  .catch(undefined);

/**
 * SES's notification of a received mail, as far as it is used: envelope, verdicts and where the raw mail is.
 * Source: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
 */
const SesNotification = z.object({
  notificationType: z.literal('Received'),
  mail: z.object({
    messageId: z.string().min(1).max(200),
    // Null for a bounce in some notifications.
    source: z.string().nullish(),
    timestamp: Instant,
  }),
  receipt: z.object({
    recipients: z.array(z.string()),
    timestamp: Instant.optional(),
    spamVerdict: StatusOf,
    virusVerdict: StatusOf,
    spfVerdict: StatusOf,
    dkimVerdict: StatusOf,
    dmarcVerdict: StatusOf,
    dmarcPolicy: Policy,
    action: z.object({ type: z.literal('S3'), bucketName: z.string().min(1), objectKey: z.string().min(1) }),
  }),
});

/** The envelope that SNS puts around a message without raw delivery. */
const SnsEnvelope = z.object({ Type: z.literal('Notification'), Message: z.string() });

/** What SES publishes when a topic is put on a receipt rule: plain text, and about no mail. */
const TOPIC_CHECK = /^Successfully validated SNS topic for Amazon SES/;

/**
 * Reads the body of a message of the inbound queue, with or without SNS's envelope; `undefined` for SES's
 * own check of the topic.
 *
 * @throws when it is no notification of a received mail.
 */
export function readDelivery(body: string): Delivery | undefined {
  if (TOPIC_CHECK.test(body)) return undefined;
  const json: unknown = JSON.parse(body);
  const envelope = SnsEnvelope.safeParse(json);
  if (envelope.success && TOPIC_CHECK.test(envelope.data.Message)) return undefined;
  const { mail, receipt } = SesNotification.parse(
    envelope.success ? JSON.parse(envelope.data.Message) : json,
  );
  return {
    sesMessageId: mail.messageId,
    receivedAt: receipt.timestamp ?? mail.timestamp,
    envelopeFrom: mail.source ?? '',
    envelopeTo: receipt.recipients,
    authentication: {
      spf: receipt.spfVerdict,
      dkim: receipt.dkimVerdict,
      dmarc: receipt.dmarcVerdict,
      ...(receipt.dmarcPolicy === undefined ? {} : { dmarcPolicy: receipt.dmarcPolicy }),
      spam: receipt.spamVerdict,
      virus: receipt.virusVerdict,
    },
    raw: { bucket: receipt.action.bucketName, key: receipt.action.objectKey },
  };
}
