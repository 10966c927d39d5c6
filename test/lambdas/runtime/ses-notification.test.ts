import { describe, expect, it } from 'vitest';
import { readDelivery } from '#lambdas/runtime/ses-notification.ts';

function notification(change: { readonly mail?: object; readonly receipt?: object } = {}): object {
  return {
    notificationType: 'Received',
    mail: {
      timestamp: '2026-11-21T08:00:00.000Z',
      source: 'maya@linden.example',
      messageId: 'ses-1',
      destination: ['assistant@example.com'],
      headersTruncated: false,
      headers: [],
      commonHeaders: {},
      ...change.mail,
    },
    receipt: {
      timestamp: '2026-11-21T08:00:01.000Z',
      processingTimeMillis: 12,
      recipients: ['assistant@example.com'],
      spamVerdict: { status: 'PASS' },
      virusVerdict: { status: 'PASS' },
      spfVerdict: { status: 'PASS' },
      dkimVerdict: { status: 'GRAY' },
      dmarcVerdict: { status: 'FAIL' },
      dmarcPolicy: 'reject',
      action: {
        type: 'S3',
        topicArn: 'arn',
        bucketName: 'inbound',
        objectKeyPrefix: 'inbound/',
        objectKey: 'inbound/ses-1',
      },
      ...change.receipt,
    },
  };
}

describe('a notification of a received mail', () => {
  it('is read as envelope, verdicts and place of the raw mail', () => {
    expect(readDelivery(JSON.stringify(notification()))).toEqual({
      sesMessageId: 'ses-1',
      receivedAt: '2026-11-21T08:00:01.000Z',
      envelopeFrom: 'maya@linden.example',
      envelopeTo: ['assistant@example.com'],
      authentication: {
        spf: 'PASS',
        dkim: 'GRAY',
        dmarc: 'FAIL',
        dmarcPolicy: 'reject',
        spam: 'PASS',
        virus: 'PASS',
      },
      raw: { bucket: 'inbound', key: 'inbound/ses-1' },
    });
  });

  it('is read the same inside the envelope of SNS', () => {
    const inner = JSON.stringify(notification());
    expect(readDelivery(JSON.stringify({ Type: 'Notification', MessageId: 'x', Message: inner }))).toEqual(
      readDelivery(inner),
    );
  });

  it.each([{ status: 'MAYBE' }, {}, undefined])('with the verdict %j proves nothing', (dmarcVerdict) => {
    const delivery = readDelivery(JSON.stringify(notification({ receipt: { dmarcVerdict } })));
    expect(delivery?.authentication.dmarc).toBe('ABSENT');
  });

  it('takes policies in capitals, and an unknown one as none named', () => {
    const policyOf = (dmarcPolicy: unknown): unknown =>
      readDelivery(JSON.stringify(notification({ receipt: { dmarcPolicy } })))?.authentication.dmarcPolicy;
    expect(policyOf('QUARANTINE')).toBe('quarantine');
    expect(policyOf('sometimes')).toBeUndefined();
  });

  it('of a bounce has an empty envelope sender', () => {
    expect(readDelivery(JSON.stringify(notification({ mail: { source: null } })))?.envelopeFrom).toBe('');
  });

  it("that is SES's own check of the topic wants nothing", () => {
    const check = 'Successfully validated SNS topic for Amazon SES event publishing.';
    expect(readDelivery(check)).toBeUndefined();
    expect(readDelivery(JSON.stringify({ Type: 'Notification', Message: check }))).toBeUndefined();
  });

  it.each([
    ['no JSON', 'Successfully'],
    ['another kind', JSON.stringify({ ...notification(), notificationType: 'Bounce' })],
    ['no action on S3', JSON.stringify(notification({ receipt: { action: { type: 'SNS' } } }))],
    ['no id', JSON.stringify(notification({ mail: { messageId: '' } }))],
    ['nothing', '{}'],
  ])('is refused when it is %s', (_what, body) => {
    expect(() => readDelivery(body)).toThrow();
  });
});
