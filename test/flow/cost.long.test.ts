import { beforeAll, describe, expect, it } from 'vitest';
import { sceneCharges, type CountedScene } from '../../bench/cost/call-charges.ts';
import { countMails, type CountedMails } from '../../bench/cost/count-mail.ts';
import { mailCost } from '../../bench/cost/mail-cost.ts';
import { readPrices, REGIONS } from '../../bench/cost/price-list.ts';
import { UnpricedCallError } from '../../bench/cost/unpriced-call.ts';

const LIMIT_USD = 0.07;
const lean = { customerKey: false, dataTrail: true, tracing: false, customMetrics: 0 };
const full = { customerKey: true, dataTrail: true, tracing: true, customMetrics: 8 };

let counted: CountedMails;

beforeAll(async () => {
  counted = await countMails();
}, 120_000);

function quantity(scene: CountedScene, price: string, what?: string): number {
  return sceneCharges(scene, lean)
    .filter((charge) => charge.price === price && (what === undefined || charge.what === what))
    .reduce((sum, charge) => sum + charge.quantity, 0);
}

describe('1,000 mails', () => {
  it.each(REGIONS)(
    'cost at most $0.07 in %s without SES and model, each alone and answered',
    async (region) => {
      const prices = await readPrices(region);
      const { usd, batchedUsd, charges } = mailCost(counted, prices, lean);
      expect(usd).toBeGreaterThan(0.01);
      expect(usd).toBeLessThanOrEqual(LIMIT_USD);
      expect(batchedUsd).toBeLessThan(usd);
      expect(charges.filter(({ price }) => /^(ses|model)-/.test(price))).toEqual([]);
    },
  );

  it('show SES and model for themselves', async () => {
    const { sesUsd, modelUsd } = mailCost(counted, await readPrices('eu-central-1'), lean);
    // A thousand taken in and a thousand sent, at ten cents each thousand.
    expect(sesUsd).toBeCloseTo(0.2);
    expect(modelUsd).toBeGreaterThan(1);
  });

  it('are dearer under a customer key with tracing', async () => {
    const prices = await readPrices('eu-central-1');
    expect(mailCost(counted, prices, full).usd).toBeGreaterThan(mailCost(counted, prices, lean).usd);
  });
});

describe('what is counted', () => {
  it('is every call of functions, agent and delivery, and no idle poll', () => {
    const { lone, answer } = counted;
    // One receive and one delete for each of two functions, the hand-over between them, and the topic's message.
    expect(quantity(lone, 'sqs-request')).toBe(6);
    expect(quantity(lone, 'lambda-request', 'Triage')).toBe(1);
    expect(quantity(lone, 'lambda-request', 'Draft')).toBe(1);
    expect(quantity(lone, 's3-put', 'delivery')).toBe(1);
    expect(quantity(lone, 's3-get', 'Triage')).toBe(1);
    expect(quantity(lone, 'sns-publish')).toBe(1);
    expect(quantity(lone, 'ses-receive')).toBe(1);
    expect(quantity(answer, 'ses-send', 'agent')).toBe(1);
  });

  it('weighs a write by the size of its item', () => {
    const { lone } = counted;
    const writes = lone.calls.filter(({ operation }) => /^(Put|Update)Item$/.test(operation)).length;
    // A note with the mail quoted in it is more than a kilobyte.
    expect(quantity(lone, 'dynamodb-write-unit')).toBeGreaterThan(writes);
  });

  it('puts ten mails of one batch into one call of a function', () => {
    const { ten } = counted;
    expect(ten.mails).toBe(10);
    expect(quantity(ten, 's3-put', 'delivery')).toBe(10);
    expect(quantity(ten, 'sns-publish')).toBe(10);
    expect(quantity(ten, 'lambda-request')).toBeLessThan(10);
  });

  it('is refused when a call has no known price', () => {
    const [call] = counted.lone.calls;
    if (!call) throw new Error('nothing was called');
    const odd = {
      ...counted.lone,
      calls: [{ ...call, service: 's3' as const, operation: 'SelectObjectContent' }],
    };
    expect(() => sceneCharges(odd, lean)).toThrow(UnpricedCallError);
  });
});
