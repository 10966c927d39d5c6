import { BundleError } from '#infra/build.ts';
import { InvalidSettingsError } from '#infra/config.ts';
import { SynthesisError } from '#infra/synth.ts';
import { countMails } from './count-mail.ts';
import { CostError } from './cost-error.ts';
import { featuresOf } from './features.ts';
import { idleCost, UnpricedResourcesError } from './idle-cost.ts';
import { mailCost } from './mail-cost.ts';
import { readPrices, type Region } from './price-list.ts';
import type { CostReport } from './report.ts';
import { resourcesOf, type Deployment } from './templates.ts';
import { UnpricedCallError } from './unpriced-call.ts';

/** Of which deployment, where, and with how many mails a month. */
export interface Wanted extends Deployment {
  readonly region: Region;
  readonly mails: number;
}

/**
 * Synthesizes, sends the counted mails, and adds up.
 *
 * @throws {CostError} when something has no known price, or cannot be built.
 */
export async function makeReport(wanted: Wanted): Promise<CostReport> {
  try {
    return await addUp(wanted);
  } catch (error) {
    const expected = [
      UnpricedResourcesError,
      UnpricedCallError,
      BundleError,
      InvalidSettingsError,
      SynthesisError,
    ];
    if (!(error instanceof Error) || !expected.some((kind) => error instanceof kind)) throw error;
    throw new CostError(error.message, { cause: error });
  }
}

async function addUp({ stage, profile, region, mails }: Wanted): Promise<CostReport> {
  const prices = await readPrices(region);
  const resources = await resourcesOf({ stage, profile });
  const idle = idleCost(resources, prices);
  const features = featuresOf(resources);
  const perThousandMails = mailCost(await countMails(), prices, features);
  const { usd, storageUsd, sesUsd, modelUsd } = perThousandMails;
  const thousands = mails / 1000;
  const metrics = { what: 'functions', price: 'custom-metric', quantity: features.customMetrics };
  const metricsUsd = mails === 0 ? 0 : prices.usd(metrics).usd;
  return {
    stage,
    profile,
    region,
    pricesOf: prices.date,
    idle,
    perThousandMails,
    month: {
      mails,
      usd: idle.usd + thousands * (usd + storageUsd) + metricsUsd,
      metricsUsd,
      sesUsd: thousands * sesUsd,
      modelUsd: thousands * modelUsd,
    },
  };
}
