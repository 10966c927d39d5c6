import { ASSUMPTIONS } from './assumptions.ts';
import { totalUsd, type Charge, type PricedCharge, type PriceList } from './price-list.ts';
import { priceOfType } from './resource-prices.ts';
import type { TemplateResource } from './templates.ts';

/** What a deployment costs in a month without a mail, in US dollars. */
export interface IdleCost {
  /** Every charge at its list price, dearest first. */
  readonly charges: readonly PricedCharge[];
  /** At list prices, without any free tier. */
  readonly listUsd: number;
  /**
   * What AWS bills to nobody: of each month the first million SQS requests and the first ten alarm metrics, of the
   * whole account. No other free tier is counted, and none that ends.
   */
  readonly allowances: readonly PricedCharge[];
  /** What is to be paid in an account that has nothing else in it: `listUsd` less `allowances`. */
  readonly usd: number;
}

/** The template has something whose price is not known, so any sum would be a guess. */
export class UnpricedResourcesError extends Error {
  static readonly code = 'UNPRICED_RESOURCES';
  readonly resources: readonly string[];

  constructor(resources: readonly string[]) {
    const list = resources.map((resource) => `  - ${resource}`).join('\n');
    super(
      `These resources have no known price:\n${list}\nSay what they cost in bench/cost/resource-prices.ts.`,
    );
    this.name = 'UnpricedResourcesError';
    this.resources = resources;
  }
}

/**
 * Sums what the resources of a deployment cost while nothing happens, and what one agent that looks for news does.
 *
 * @throws {UnpricedResourcesError} naming every resource whose type, or whose set-up, has no known price
 */
export function idleCost(resources: readonly TemplateResource[], prices: PriceList): IdleCost {
  const unpriced: string[] = [];
  const charges: Charge[] = [];
  for (const resource of resources) {
    const what = `${resource.stack}.${resource.id}`;
    const price = priceOfType(resource.type);
    try {
      if (price === undefined) unpriced.push(`${what}: ${resource.type}`);
      else charges.push(...price(resource, resources).map((charge) => ({ what, ...charge })));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      unpriced.push(`${what}: ${resource.type}: ${why}`);
    }
  }
  if (unpriced.length > 0) throw new UnpricedResourcesError(unpriced);
  charges.push(agentPolls());
  const priced = charges.map((charge) => prices.usd(charge)).sort((a, b) => b.usd - a.usd);
  const listUsd = totalUsd(priced);
  const allowances = prices.allowances(charges);
  return { charges: priced, listUsd, allowances, usd: listUsd - totalUsd(allowances) };
}

function agentPolls(): Charge {
  const polls = (ASSUMPTIONS.hoursAMonth * 3600) / ASSUMPTIONS.agentPollSeconds;
  return { what: 'one agent that looks for news', price: 'dynamodb-read-unit', quantity: polls };
}
