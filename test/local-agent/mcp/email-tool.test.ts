import { describe, expect, it } from 'vitest';
import { createEmailTool } from '#local-agent/mcp/email-tool.ts';
import { NotSentError, sendFailure } from '#local-agent/mcp/send-failure.ts';
import type { MailSender } from '#protocol/ports.ts';
import { createMemoryMailSender } from '#test/support/memory/memory-mail-sender.ts';
import { aMail, anAttachment } from './fixtures/a-mail.ts';
import { like } from './fixtures/tool-host-fixture.ts';

const now = (): Date => new Date('2026-11-21T08:00:00.000Z');

describe('send_email', () => {
  it('sends the mail to exactly its recipients, with the tags of its task and intent', async () => {
    const sender = createMemoryMailSender();
    const outcome = await createEmailTool({ sender, now })(
      aMail({ cc: ['ann@example.org', 'bo@example.org'] }),
    );
    expect(outcome).toMatchObject({ status: 'succeeded', providerId: 'memory-1' });
    expect(sender.sent).toHaveLength(1);
    expect(sender.sent[0]).toMatchObject({
      from: 'office@example.com',
      destinations: ['bo@example.org', 'ann@example.org'],
      tags: { task: 't0123456789abcdef0123', intent: 'intent_1-a' },
    });
  });

  it('writes a domain in its ASCII form, in the headers and on the envelope', async () => {
    const sender = createMemoryMailSender();
    await createEmailTool({ sender, now })(aMail({ to: ['bo@bücher.example'] }));
    expect(sender.sent[0]?.destinations[0]).toBe('bo@xn--bcher-kva.example');
    expect(Buffer.from(sender.sent[0]?.raw ?? []).toString()).toContain(
      '\r\nTo: bo@xn--bcher-kva.example\r\n',
    );
  });

  it.each([
    ['a line break in the subject', { subject: 'Hi\r\nBcc: spy@example.net' }, /^not sent: subject/],
    ['a line break in an address', { to: ['bo@example.org\nBcc: spy@example.net'] }, /^not sent: to\.0/],
    ['a name beside the address', { to: ['Bo <bo@example.org>'] }, /^not sent: to\.0/],
    ['two addresses in one', { cc: ['a@example.org,b@example.org'] }, /^not sent: cc\.0/],
    ['an address that is not ASCII', { to: ['bö@example.org'] }, /^not sent: to\.0/],
    ['a domain that would become another', { to: ['bo@ｅxample.org'] }, /^not sent: to\.0/],
    ['an encoded word as address', { to: ['=?utf-8?q?x?=@example.org'] }, /^not sent: to\.0/],
    ['no recipient', { to: [] }, /^not sent: to/],
    ['a line break in a message id', { references: ['<1@x>\r\nX: y'] }, /^not sent: references\.0/],
    ['two message ids in one', { inReplyTo: '<1@x> <2@x>' }, /^not sent: inReplyTo/],
    ['half a character', { text: 'a\ud83d' }, /^not sent: text/],
    ['no text', { text: '' }, /^not sent: text/],
    ['a key that is no tag', { idempotencyKey: 'a b' }, /^not sent: idempotencyKey/],
    ['a field that is not known', { bcc: ['spy@example.net'] }, /bcc/],
    [
      'an attachment that is not the approved one',
      { attachments: [{ ...anAttachment('a.pdf', Buffer.from('a')), contentBase64: 'Yg==' }] },
      /not the approved one/,
    ],
    [
      'an attachment with a path',
      { attachments: [anAttachment('../a.pdf', Buffer.from('a'))] },
      /a name, not a path/,
    ],
    [
      'an attachment that would show another name',
      { attachments: [anAttachment('=?utf-8?q?b?=.pdf', Buffer.from('a'))] },
      /another name/,
    ],
    [
      'more than SES takes',
      { attachments: [anAttachment('a.bin', Buffer.alloc(31 * 1024 * 1024))] },
      /SES takes/,
    ],
  ])('refuses %s before it touches the network', async (_name, fields, detail) => {
    const sender = createMemoryMailSender();
    const outcome = await createEmailTool({ sender, now })({ ...aMail(), ...fields });
    expect(outcome).toEqual({ status: 'failed', detail: like(detail) });
    expect(sender.sent).toEqual([]);
  });

  it('does not send a key again that was sent, or may have been', async () => {
    const sender = createMemoryMailSender();
    const tool = createEmailTool({ sender, now });
    await Promise.all([tool(aMail()), tool(aMail())]);
    expect((await tool(aMail())).status).toBe('indeterminate');
    expect(sender.sent).toHaveLength(1);
    expect((await tool(aMail({ idempotencyKey: 'another' }))).status).toBe('succeeded');
  });

  it('sends a key again that was certainly not sent', async () => {
    const sender = createMemoryMailSender();
    let first = true;
    const flaky: MailSender = {
      send: async (mail) => {
        if (!first) return sender.send(mail);
        first = false;
        throw new NotSentError('no credentials');
      },
    };
    const tool = createEmailTool({ sender: flaky, now });
    expect(await tool(aMail())).toEqual({ status: 'failed', detail: 'not sent: no credentials' });
    expect((await tool(aMail())).status).toBe('succeeded');
  });
});

describe('an error while sending', () => {
  const ses = (name: string, httpStatusCode: number): Error =>
    Object.assign(new Error('words of SES'), { name, $metadata: { httpStatusCode } });
  const node = (code: string, syscall?: string): Error => Object.assign(new Error(code), { code, syscall });
  const timeout = (message: string): Error => Object.assign(new Error(message), { name: 'TimeoutError' });

  it.each([
    ['a rejected mail', ses('MessageRejected', 400)],
    ['a sender that is not verified', ses('MailFromDomainNotVerifiedException', 400)],
    ['a paused account', ses('AccountSendingPausedException', 400)],
    ['throttling', ses('Throttling', 400)],
    ['a configuration set that is not there', ses('ConfigurationSetDoesNotExistException', 400)],
    ['no permission', ses('AccessDenied', 403)],
    ['an invalid parameter', ses('InvalidParameterValue', 400)],
    ['a refused connection', node('ECONNREFUSED', 'connect')],
    ['no way to the host', node('EHOSTUNREACH', 'connect')],
    ['an unknown host', node('ENOTFOUND', 'getaddrinfo')],
    ['a DNS failure', node('EAI_AGAIN', 'getaddrinfo')],
    [
      'all addresses refusing',
      new AggregateError([node('ECONNREFUSED', 'connect'), node('ENETUNREACH', 'connect')]),
    ],
    [
      'a connection that did not come about',
      timeout('the request socket did not establish a connection with the server'),
    ],
    ['a captive portal', node('ERR_TLS_CERT_ALTNAME_INVALID')],
  ])('is a failure after %s', (_name, error) => {
    expect(sendFailure(error).status).toBe('failed');
  });

  it.each([
    ['a 5xx', ses('InternalFailure', 500)],
    ['a 5xx under the name of a refusal', ses('MessageRejected', 503)],
    ['a 4xx that is not known', ses('SomethingNew', 400)],
    ['a reset', node('ECONNRESET', 'read')],
    ['a broken pipe', node('EPIPE', 'write')],
    ['no way to the host while writing', node('EHOSTUNREACH', 'write')],
    [
      'one address that took the connection',
      new AggregateError([node('ECONNREFUSED', 'connect'), node('ECONNRESET', 'read')]),
    ],
    ['a time-out', timeout('a request has exceeded the configured 1000 ms requestTimeout')],
    ['an answer that cannot be read', new SyntaxError('Unexpected token <')],
    ['an answer without an id', new Error('SES took the mail and named no message id')],
    ['something that is no error', 'oops'],
    ['nothing at all', undefined],
  ])('leaves the effect unknown after %s', (_name, error) => {
    expect(sendFailure(error).status).toBe('indeterminate');
  });
});
