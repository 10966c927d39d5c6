import { ASSUMPTIONS } from './assumptions.ts';
import { sceneCharges, type CountedScene } from './call-charges.ts';
import type { CountedMails } from './count-mail.ts';
import type { Features } from './features.ts';
import { totalUsd, type Charge, type PricedCharge, type PriceList } from './price-list.ts';

/** What 1,000 mails cost, in US dollars, each of them drafted, approved and answered. */
export interface MailCost {
  /** Requests, function time and logs, without SES and model; dearest first. */
  readonly charges: readonly PricedCharge[];
  /** Sum of `charges`, when each mail comes alone. */
  readonly usd: number;
  /** The same when mails come in full batches of ten. */
  readonly batchedUsd: number;
  /** Keeping raw mails until they expire, and tasks and ledger for one month with their backup. */
  readonly storageUsd: number;
  /** Taking mail in and sending it. */
  readonly sesUsd: number;
  /** Drafts by a model, if the owner lets one write them; templates cost nothing. */
  readonly modelUsd: number;
}

const MAILS = 1000;

/** Prices counted mails. @throws {UnpricedCallError} */
export function mailCost(counted: CountedMails, prices: PriceList, features: Features): MailCost {
  const priced = (...scenes: CountedScene[]): PricedCharge[] =>
    scenes
      .flatMap((scene) => scaled(sceneCharges(scene, features), MAILS / scene.mails))
      .map((charge) => prices.usd(charge));
  const alone = priced(counted.lone, counted.answer);
  const charges = alone.filter((charge) => !isSes(charge)).sort((a, b) => b.usd - a.usd);
  const batched = priced(counted.ten, counted.answer).filter((charge) => !isSes(charge));
  return {
    charges,
    usd: totalUsd(charges),
    batchedUsd: totalUsd(batched),
    storageUsd: totalUsd(storageCharges(alone).map((charge) => prices.usd(charge))),
    sesUsd: totalUsd(alone.filter(isSes)),
    modelUsd: totalUsd(modelCharges().map((charge) => prices.usd(charge))),
  };
}

function isSes({ price }: Charge): boolean {
  return price.startsWith('ses-');
}

function scaled(charges: readonly Charge[], factor: number): Charge[] {
  return charges.map((charge) => ({ ...charge, quantity: charge.quantity * factor }));
}

/** Whatever was written to a table is taken to stay there, each write at its full kilobytes. */
function storageCharges(charges: readonly Charge[]): Charge[] {
  const units = charges.filter(({ price }) => price === 'dynamodb-write-unit');
  const tablesGb = units.reduce((sum, { quantity }) => sum + quantity * 1024, 0) / 1e9;
  const mailsGb = (MAILS * ASSUMPTIONS.mailBytes) / 1e9;
  return [
    { what: 'raw mails', price: 's3-storage', quantity: mailsGb * ASSUMPTIONS.mailMonths },
    { what: 'tasks and ledger', price: 'dynamodb-storage', quantity: tablesGb },
    { what: 'tasks and ledger', price: 'dynamodb-pitr', quantity: tablesGb },
  ];
}

function modelCharges(): Charge[] {
  return [
    { what: 'model', price: 'model-input-token', quantity: MAILS * ASSUMPTIONS.modelInputTokens },
    { what: 'model', price: 'model-output-token', quantity: MAILS * ASSUMPTIONS.modelOutputTokens },
  ];
}
