import { addressesIn, decodedText, headerOf, type MailHeader } from './mail-headers.ts';
import type { Verdicts, VerdictStatus } from './verdicts.ts';

/** Headers beyond this are left out of a notification. */
const HEADERS_LIMIT_BYTES = 10 * 1024;

/** One delivered mail, as the notification tells of it. */
export interface ReceivedMail {
  messageId: string;
  /** Envelope sender; empty for bounces. */
  source: string;
  /** All envelope recipients. */
  destinations: readonly string[];
  /** Those that the rule matched. */
  recipients: readonly string[];
  headers: readonly MailHeader[];
  verdicts: Verdicts;
  receivedAt: string;
  processingTimeMillis: number;
  action: { topicArn: string; bucketName: string; objectKeyPrefix: string; objectKey: string };
}

/**
 * SES's "Received" notification of an S3 action.
 * @see https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html
 */
export function receiptNotification(mail: ReceivedMail): object {
  const { kept, truncated } = withinLimit(mail.headers);
  const { verdicts } = mail;
  return {
    notificationType: 'Received',
    mail: {
      timestamp: mail.receivedAt,
      source: mail.source,
      messageId: mail.messageId,
      destination: mail.destinations,
      headersTruncated: truncated,
      headers: kept,
      commonHeaders: commonHeaders(kept),
    },
    receipt: {
      timestamp: mail.receivedAt,
      processingTimeMillis: mail.processingTimeMillis,
      recipients: mail.recipients,
      spamVerdict: status(verdicts.spam),
      virusVerdict: status(verdicts.virus),
      spfVerdict: status(verdicts.spf),
      dkimVerdict: status(verdicts.dkim),
      dmarcVerdict: status(verdicts.dmarc),
      ...(verdicts.dmarcPolicy === undefined ? {} : { dmarcPolicy: verdicts.dmarcPolicy }),
      action: { type: 'S3', ...mail.action },
    },
  };
}

function status(verdict: VerdictStatus): { status: VerdictStatus } {
  return { status: verdict };
}

function withinLimit(headers: readonly MailHeader[]): { kept: MailHeader[]; truncated: boolean } {
  const kept: MailHeader[] = [];
  let sizeBytes = 0;
  for (const header of headers) {
    sizeBytes += Buffer.byteLength(header.name) + Buffer.byteLength(header.value);
    if (sizeBytes > HEADERS_LIMIT_BYTES) return { kept, truncated: true };
    kept.push(header);
  }
  return { kept, truncated: false };
}

function commonHeaders(headers: readonly MailHeader[]): object {
  const lists = { from: 'From', replyTo: 'Reply-To', sender: 'Sender', to: 'To', cc: 'Cc', bcc: 'Bcc' };
  const returnPath = headerOf(headers, 'Return-Path');
  const common: Record<string, unknown> = {
    ...(returnPath === undefined ? {} : { returnPath: addressesIn(returnPath)[0] ?? '' }),
  };
  for (const [key, name] of Object.entries(lists)) {
    const value = headerOf(headers, name);
    if (value !== undefined) common[key] = addressList(value);
  }
  for (const [key, name] of Object.entries({ date: 'Date', messageId: 'Message-ID', subject: 'Subject' })) {
    const value = headerOf(headers, name);
    if (value !== undefined) common[key] = decodedText(value);
  }
  return common;
}

/** Each address as it was written, with its display name decoded. */
function addressList(value: string): string[] {
  return splitAddresses(value).map((part) => decodedText(part.trim()));
}

/** Splits at commas outside quotes, comments and angle brackets. */
function splitAddresses(value: string): string[] {
  const parts: string[] = [];
  let current = '';
  let quoted = false;
  let depth = 0;
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index];
    if (character === '\\') {
      current += value.slice(index, index + 2);
      index += 1;
      continue;
    }
    if (character === '"') quoted = !quoted;
    if (!quoted && (character === '(' || character === '<')) depth += 1;
    if (!quoted && (character === ')' || character === '>')) depth = Math.max(0, depth - 1);
    if (character === ',' && !quoted && depth === 0) {
      parts.push(current);
      current = '';
    } else {
      current += character;
    }
  }
  return [...parts, current].filter((part) => part.trim() !== '');
}
