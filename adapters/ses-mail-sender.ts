import { SendRawEmailCommand, type SESClient } from '@aws-sdk/client-ses';
import type { MailSender } from '#protocol/ports.ts';

/**
 * Sends through SES (`SendRawEmail`). The envelope is `from` and `destinations`, whatever the headers say;
 * the raw bytes go out as they are, but SES puts its own `Message-ID` there, and the id answered here is
 * that one without its domain. Tags come back with SES's delivery events.
 *
 * @see https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
 */
export function createSesMailSender(
  client: SESClient,
  options: { readonly configurationSet?: string } = {},
): MailSender {
  return {
    send: async ({ raw, from, destinations, tags }) => {
      const { MessageId } = await client.send(
        new SendRawEmailCommand({
          RawMessage: { Data: raw },
          Source: from,
          Destinations: [...destinations],
          Tags: Object.entries(tags).map(([Name, Value]) => ({ Name, Value })),
          ...(options.configurationSet === undefined
            ? {}
            : { ConfigurationSetName: options.configurationSet }),
        }),
      );
      if (!MessageId) throw new Error('SES took the mail and named no message id');
      return { messageId: MessageId };
    },
  };
}
