import { randomBytes } from 'node:crypto';
import { AwsError, escapeXml, startAwsServer } from './aws-http.ts';
import type { EmulatorOptions, Operation, RunningEmulator } from './aws-http.ts';
import { composeSimpleMail } from './ses-compose.ts';
import { keepInOutbox, type SentMail } from './ses-outbox.ts';
import { addressesIn, addressOnly, decodedText, headerOf, headersOf } from '../mail-headers.ts';

const NAMESPACE = 'http://ses.amazonaws.com/doc/2010-12-01/';
/** SES's limit for a message after encoding. */
const MESSAGE_LIMIT_BYTES = 40 * 1024 * 1024;
/** Base64 and then percent-encoding of the largest message, with room for the other parameters. */
const REQUEST_LIMIT_BYTES = Math.ceil(MESSAGE_LIMIT_BYTES * 1.6);
const MAX_RECIPIENTS = 50;

/** @see startSes */
export interface SesOptions extends EmulatorOptions {
  /** Where sent mails are kept; made at the first one. */
  outboxDir: string;
  /** Verified identities, addresses or domains. Without, every sender counts as verified. */
  identities?: readonly string[];
  /** Known configuration sets. Without, any name is taken. */
  configurationSets?: readonly string[];
  /** Called after a mail was kept and before the answer goes out. */
  onSent?: (mail: SentMail, raw: Buffer) => void;
}

/**
 * SES v1 (query protocol). `SendRawEmail` honours `Destinations` and keeps the message's bytes as they came;
 * unlike SES it leaves `Message-ID` alone, and the id that SES would have put is the side file's `messageId`.
 * Refuses as SES does: unverified senders, no recipient, more than 50, more than 40 MB, no `From`.
 * @see https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html
 * @throws PortInUse
 */
export async function startSes(options: SesOptions): Promise<RunningEmulator> {
  let sentCount = 0;

  async function send(parameters: URLSearchParams, raw: Buffer, recipients: string[]): Promise<string> {
    if (raw.length > MESSAGE_LIMIT_BYTES) {
      throw new AwsError(
        'InvalidParameterValue',
        `Message length is more than ${MESSAGE_LIMIT_BYTES} bytes.`,
      );
    }
    const headers = headersOf(raw);
    const from = headerOf(headers, 'From');
    if (from === undefined) throw new AwsError('InvalidParameterValue', "Missing required header 'From'.");
    const source = addressOnly(parameters.get('Source') ?? from);
    if (source === undefined) throw new AwsError('InvalidParameterValue', 'The sender is no address.');
    checkVerified(options.identities, [source, addressOnly(from) ?? source]);
    checkRecipients(recipients);
    const configurationSet = parameters.get('ConfigurationSetName') ?? undefined;
    if (configurationSet !== undefined && options.configurationSets?.includes(configurationSet) === false) {
      const message = `Configuration set <${configurationSet}> does not exist.`;
      throw new AwsError('ConfigurationSetDoesNotExist', message);
    }
    const mail = await keepInOutbox(
      options.outboxDir,
      {
        messageId: sesOutboundId(),
        source,
        destinations: recipients,
        subject: decodedText(headerOf(headers, 'Subject') ?? ''),
        tags: tagsOf(parameters),
        ...(configurationSet === undefined ? {} : { configurationSet }),
        at: new Date().toISOString(),
      },
      raw,
    );
    sentCount += 1;
    options.onSent?.(mail, raw);
    return `<MessageId>${mail.messageId}</MessageId>`;
  }

  const operations: Record<string, Operation<URLSearchParams, string>> = {
    SendRawEmail: (parameters) => {
      const data = parameters.get('RawMessage.Data');
      if (data === null || data === '') {
        throw new AwsError('InvalidParameterValue', 'RawMessage.Data is required.');
      }
      const raw = Buffer.from(data, 'base64');
      const given = members(parameters, 'Destinations.member.');
      return send(parameters, raw, given.length > 0 ? given.map(asAddress) : recipientHeaders(raw));
    },
    SendEmail: (parameters) => {
      const recipients = ['To', 'Cc', 'Bcc'].flatMap((kind) =>
        members(parameters, `Destination.${kind}Addresses.member.`),
      );
      return send(parameters, composeSimpleMail(parameters), recipients.map(asAddress));
    },
    GetSendQuota: () =>
      '<Max24HourSend>50000</Max24HourSend><MaxSendRate>14</MaxSendRate>' +
      `<SentLast24Hours>${sentCount}</SentLast24Hours>`,
    GetAccountSendingEnabled: () => '<Enabled>true</Enabled>',
    ListIdentities: () => {
      const listed = (options.identities ?? []).map((identity) => `<member>${escapeXml(identity)}</member>`);
      return `<Identities>${listed.join('')}</Identities>`;
    },
    GetIdentityVerificationAttributes: (parameters) => {
      const entries = members(parameters, 'Identities.member.').map((identity) => {
        const status = isVerified(options.identities, identity) ? 'Success' : 'Pending';
        return (
          `<entry><key>${escapeXml(identity)}</key>` +
          `<value><VerificationStatus>${status}</VerificationStatus></value></entry>`
        );
      });
      return `<VerificationAttributes>${entries.join('')}</VerificationAttributes>`;
    },
  };
  return startAwsServer(
    { service: 'ses', bodyLimitBytes: REQUEST_LIMIT_BYTES, query: { namespace: NAMESPACE, operations } },
    options,
  );
}

/** The values of `prefix1`, `prefix2` … in order. */
function members(parameters: URLSearchParams, prefix: string): string[] {
  const values: string[] = [];
  for (let index = 1; ; index += 1) {
    const value = parameters.get(`${prefix}${index}`);
    if (value === null) return values;
    values.push(value);
  }
}

function tagsOf(parameters: URLSearchParams): Record<string, string> {
  const tags: Record<string, string> = {};
  for (let index = 1; ; index += 1) {
    const name = parameters.get(`Tags.member.${index}.Name`);
    if (name === null) return tags;
    const value = parameters.get(`Tags.member.${index}.Value`) ?? '';
    if (!/^[\w.@-]{1,256}$/.test(name) || !/^[\w.@-]{1,256}$/.test(value)) {
      throw new AwsError('InvalidParameterValue', `Invalid message tag <${name}>: <${value}>.`);
    }
    tags[name] = value;
  }
}

function recipientHeaders(raw: Buffer): string[] {
  const headers = headersOf(raw);
  return ['To', 'Cc', 'Bcc'].flatMap((name) => addressesIn(headerOf(headers, name) ?? ''));
}

function asAddress(text: string): string {
  const address = addressOnly(text);
  if (address === undefined) throw new AwsError('InvalidParameterValue', `Illegal address: ${text}`);
  return address;
}

function checkRecipients(recipients: readonly string[]): void {
  if (recipients.length === 0) throw new AwsError('InvalidParameterValue', 'The message has no recipients.');
  if (recipients.length > MAX_RECIPIENTS) {
    throw new AwsError('MessageRejected', `Recipient count exceeds ${MAX_RECIPIENTS}.`);
  }
}

function checkVerified(identities: readonly string[] | undefined, senders: readonly string[]): void {
  const failed = senders.filter((sender) => !isVerified(identities, sender));
  if (failed.length === 0) return;
  throw new AwsError(
    'MessageRejected',
    `Email address is not verified. The following identities failed the check: ${[...new Set(failed)].join(', ')}`,
  );
}

function isVerified(identities: readonly string[] | undefined, sender: string): boolean {
  if (identities === undefined) return true;
  const address = sender.toLowerCase();
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return identities.some((identity) => {
    const known = identity.toLowerCase();
    return known === address || (!known.includes('@') && (domain === known || domain.endsWith(`.${known}`)));
  });
}

/** Shaped like SES's own outbound ids: `0100018f…-uuid-like-000000`. */
function sesOutboundId(): string {
  const hex = randomBytes(20).toString('hex');
  const uuid = [hex.slice(8, 16), hex.slice(16, 20), hex.slice(20, 24), hex.slice(24, 28), hex.slice(28, 40)];
  return `0100${Date.now().toString(16).padStart(12, '0')}-${uuid.join('-')}-000000`;
}
