import { randomUUID } from 'node:crypto';

/**
 * The message that `SendEmail` makes of its parameters: RFC 5322 with a text part, an HTML part or both.
 * Bcc recipients are envelope only, as with SES.
 */
export function composeSimpleMail(parameters: URLSearchParams): Buffer {
  const list = (kind: string): string =>
    [...parameters]
      .filter(([name]) => name.startsWith(`${kind}.member.`))
      .map(([, value]) => value)
      .join(', ');
  const headers = [
    `From: ${parameters.get('Source') ?? ''}`,
    `To: ${list('Destination.ToAddresses')}`,
    ...optional('Cc', list('Destination.CcAddresses')),
    ...optional('Reply-To', list('ReplyToAddresses')),
    `Subject: ${encodedWord(parameters.get('Message.Subject.Data') ?? '')}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${randomUUID()}@local-cloud.invalid>`,
    'MIME-Version: 1.0',
  ];
  const parts = [
    ...part('text/plain', parameters.get('Message.Body.Text.Data')),
    ...part('text/html', parameters.get('Message.Body.Html.Data')),
  ];
  const [only, ...more] = parts;
  if (only === undefined) return Buffer.from(`${headers.join('\r\n')}\r\n\r\n`);
  if (more.length === 0) return Buffer.from(`${headers.join('\r\n')}\r\n${only}`);
  const boundary = `=_${randomUUID()}`;
  const body = parts.map((text) => `--${boundary}\r\n${text}\r\n`).join('');
  return Buffer.from(
    `${headers.join('\r\n')}\r\nContent-Type: multipart/alternative; boundary="${boundary}"\r\n\r\n` +
      `${body}--${boundary}--\r\n`,
  );
}

function optional(name: string, value: string): string[] {
  return value === '' ? [] : [`${name}: ${value}`];
}

function part(contentType: string, text: string | null): string[] {
  if (text === null) return [];
  const lines =
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  return [
    `Content-Type: ${contentType}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines.join('\r\n')}`,
  ];
}

function encodedWord(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
}
