import { randomInt } from 'node:crypto';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { AwsClient } from './aws-client.ts';
import { asPortInUse } from './emulators/listen.ts';
import { headersOf } from './mail-headers.ts';
import type { PlannedReceiptRule } from './plan.ts';
import { receiptNotification } from './receipt-notification.ts';
import { verdictsFor, type VerdictTable } from './verdicts.ts';

/** SES's limit for incoming mail, headers included. */
const SIZE_LIMIT_BYTES = 40 * 1024 * 1024;
const HOST_NAME = 'inbound-smtp.local-cloud.invalid';

/** @see startSmtp */
export interface SmtpOptions {
  /** @default 0, any free port */
  port?: number;
  client: AwsClient;
  rules: readonly PlannedReceiptRule[];
  verdictTable: VerdictTable;
  /** Told of each accepted mail, after it was stored and announced. */
  onReceived?: (mail: { messageId: string; from: string; to: string[]; sizeBytes: number }) => void;
  log: (line: string) => void;
}

/** The running SMTP server. */
export interface Smtp {
  port: number;
  /** Mails that are being taken in. */
  receiving(): number;
  close(): Promise<void>;
}

/**
 * SES's inbound side: takes mail for recipients that an active receipt rule matches (550 otherwise), up to
 * 40 MB (552 otherwise), stores the raw message by the rule's S3 action and publishes the notification with
 * the verdicts to its topic. Only then the client hears 250, so an accepted mail is never lost.
 *
 * Unlike SES it takes mail without TLS, even if the rule's policy requires it: it listens on loopback only,
 * and a self-signed certificate would turn strict clients away.
 * @see https://docs.aws.amazon.com/ses/latest/dg/receiving-email-concepts.html
 * @throws PortInUse
 */
export async function startSmtp(options: SmtpOptions): Promise<Smtp> {
  let receiving = 0;
  const server = new SMTPServer({
    name: HOST_NAME,
    banner: 'local cloud, as SES receives',
    size: SIZE_LIMIT_BYTES,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    hidePIPELINING: false,
    logger: false,
    onRcptTo: ({ address }, _session, callback) => {
      const known = options.rules.some((rule) => matches(rule, address));
      callback(known ? null : refusal(550, '5.1.1 Requested action not taken: mailbox unavailable'));
    },
    onData: (stream, session, callback) => {
      receiving += 1;
      receive(options, stream, session)
        .then(
          (messageId) => callback(null, `OK ${messageId}`),
          (error: unknown) => {
            if (error instanceof Error && 'responseCode' in error) {
              callback(error);
              return;
            }
            options.log(`smtp: ${error instanceof Error ? error.message : String(error)}`);
            callback(refusal(451, '4.3.0 The mail could not be stored; try again later'));
          },
        )
        .finally(() => (receiving -= 1));
    },
  });
  // A client that breaks off is its own affair.
  server.on('error', (error: Error) => options.log(`smtp: ${error.message}`));
  const port = await listen(server, options.port ?? 0);
  return {
    port,
    receiving: () => receiving,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function receive(
  options: SmtpOptions,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<string> {
  const startedAt = performance.now();
  const original = await contentOf(stream);
  const messageId = sesInboundId();
  const source = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
  const destinations = session.envelope.rcptTo.map(({ address }) => address);
  const receivedAt = new Date().toISOString();
  const originalHeaders = headersOf(original);

  for (const rule of options.rules) {
    const recipients = destinations.filter((address) => matches(rule, address));
    if (recipients.length === 0) continue;
    const mail = { envelopeFrom: source, headers: originalHeaders, raw: original, scan: rule.scan };
    const verdicts = verdictsFor(mail, options.verdictTable);
    const trace =
      `Return-Path: <${source}>\r\n` +
      `Received: from ${printable(session.hostNameAppearsAs)} (${printable(session.remoteAddress)})\r\n` +
      ` by ${HOST_NAME} with SMTP id ${messageId}\r\n` +
      ` for ${printable(recipients[0] ?? '')};\r\n` +
      ` ${new Date(receivedAt).toUTCString().replace('GMT', '+0000 (UTC)')}\r\n` +
      `X-SES-Spam-Verdict: ${verdicts.spam}\r\n` +
      `X-SES-Virus-Verdict: ${verdicts.virus}\r\n`;
    const raw = Buffer.concat([Buffer.from(trace), original]);
    const headers = [...headersOf(Buffer.from(trace)), ...originalHeaders];
    for (const { bucket, prefix, topicArn } of rule.actions) {
      const objectKey = `${prefix}${messageId}`;
      await options.client.putObject(bucket, objectKey, raw);
      if (topicArn === undefined) continue;
      const notification = receiptNotification({
        messageId,
        source,
        destinations,
        recipients,
        headers,
        verdicts,
        receivedAt,
        processingTimeMillis: Math.round(performance.now() - startedAt),
        action: { topicArn, bucketName: bucket, objectKeyPrefix: prefix, objectKey },
      });
      await options.client.sns('Publish', {
        TopicArn: topicArn,
        Subject: 'Amazon SES Email Receipt Notification',
        Message: JSON.stringify(notification),
      });
    }
  }
  options.onReceived?.({ messageId, from: source, to: destinations, sizeBytes: original.length });
  return messageId;
}

async function contentOf(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    // Past the limit the rest is read and dropped: the client has to be heard out before it hears 552.
    if (sizeBytes <= SIZE_LIMIT_BYTES) chunks.push(chunk);
  }
  if (stream.sizeExceeded || sizeBytes > SIZE_LIMIT_BYTES) {
    throw refusal(552, `5.3.4 Message exceeds the maximum of ${SIZE_LIMIT_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
}

function matches(rule: PlannedReceiptRule, recipient: string): boolean {
  if (rule.recipients.length === 0) return true;
  const address = recipient.toLowerCase();
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  // SES matches user+tag@domain to a rule for user@domain.
  const untagged = `${address.slice(0, at).replace(/\+.*$/s, '')}@${domain}`;
  return rule.recipients.some((entry) => {
    const wanted = entry.toLowerCase();
    if (wanted.includes('@')) return wanted === address || wanted === untagged;
    return wanted.startsWith('.') ? domain.endsWith(wanted) : domain === wanted;
  });
}

function listen(server: SMTPServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(asPortInUse(error, 'smtp', port));
    server.once('error', fail);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', fail);
      const address = server.server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** Forty lower-case characters and digits, as SES's ids of received mail. */
function sesInboundId(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 40 }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** What a client said of itself must not start a header of its own. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?');
}
