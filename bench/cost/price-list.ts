import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { repositoryDir } from '#infra/paths.ts';

/** Regions that `infra/prices.json` has prices for. */
export const REGIONS = ['eu-central-1', 'us-east-1'] as const;
export type Region = (typeof REGIONS)[number];

const Price = z.strictObject({
  /** Name of the public page that it stands on. */
  page: z.string().min(1),
  /** What is paid for, in words. */
  unit: z.string().min(1),
  /** How many units `usd` buys. */
  per: z.number().positive(),
  /** When it was written down or last checked. */
  date: z.iso.date(),
  usd: z.strictObject({ 'eu-central-1': z.number().nonnegative(), 'us-east-1': z.number().nonnegative() }),
  /** Units of each month that cost nothing, for every account and without end ("always free"). */
  freeAMonth: z.number().positive().optional(),
});

const PriceFile = z.strictObject({ note: z.string(), prices: z.record(z.string(), Price) });

/** So much of something that has a price. */
export interface Charge {
  /** What it is for, such as the resource's logical id. */
  readonly what: string;
  /** Name of the price in `infra/prices.json`. */
  readonly price: string;
  readonly quantity: number;
}

/** A charge in US dollars. */
export interface PricedCharge extends Charge {
  readonly usd: number;
}

/** A charge names a price that the file does not have. */
export class UnknownPriceError extends Error {
  static readonly code = 'UNKNOWN_PRICE';

  constructor(price: string) {
    super(`infra/prices.json has no price "${price}"`);
    this.name = 'UnknownPriceError';
  }
}

/** The prices of one region. */
export interface PriceList {
  readonly region: Region;
  /** The oldest date on any price. */
  readonly date: string;
  /** @throws {UnknownPriceError} */
  usd(charge: Charge): PricedCharge;
  /** What AWS does not bill in a month with these charges, for every account and without end. */
  allowances(charges: readonly Charge[]): PricedCharge[];
}

/** Reads `infra/prices.json`. @throws {z.ZodError} when it is malformed */
export async function readPrices(region: Region): Promise<PriceList> {
  const text = await readFile(path.join(repositoryDir, 'infra/prices.json'), 'utf8');
  const { prices } = PriceFile.parse(JSON.parse(text));
  const [date = ''] = Object.values(prices)
    .map((price) => price.date)
    .sort();
  const priceOf = (name: string): z.infer<typeof Price> => {
    const price = prices[name];
    if (price === undefined) throw new UnknownPriceError(name);
    return price;
  };
  const priced = (charge: Charge): PricedCharge => {
    const { usd, per } = priceOf(charge.price);
    return { ...charge, usd: (usd[region] * charge.quantity) / per };
  };
  return {
    region,
    date,
    usd: priced,
    allowances: (charges) =>
      Object.entries(prices).flatMap(([price, { freeAMonth, unit }]) => {
        if (freeAMonth === undefined) return [];
        const used = charges.filter((charge) => charge.price === price);
        const quantity = used.reduce((sum, charge) => sum + charge.quantity, 0);
        return [priced({ what: unit, price, quantity: Math.min(quantity, freeAMonth) })];
      }),
  };
}

/** The sum of charges in US dollars. */
export function totalUsd(charges: readonly PricedCharge[]): number {
  return charges.reduce((sum, { usd }) => sum + usd, 0);
}
