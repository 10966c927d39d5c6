import type { IdleCost } from './idle-cost.ts';
import type { MailCost } from './mail-cost.ts';
import { type PricedCharge } from './price-list.ts';

/** What the command answers; with `--json` as it is. All sums are US dollars. */
export interface CostReport {
  readonly stage: string;
  readonly profile: string;
  readonly region: string;
  /** The oldest date in the price file. */
  readonly pricesOf: string;
  readonly idle: IdleCost;
  readonly perThousandMails: MailCost;
  readonly month: {
    readonly mails: number;
    /** Idle, and the mails with all but SES and model. */
    readonly usd: number;
    /** Of it, metrics of our own as if mail came in every hour. */
    readonly metricsUsd: number;
    readonly sesUsd: number;
    readonly modelUsd: number;
  };
}

/** A report for people. */
export function textOf(report: CostReport): string {
  const { idle, perThousandMails: mails, month } = report;
  return [
    `${report.stage} ${report.profile}, ${report.region}, prices of ${report.pricesOf}`,
    '',
    'a month without a mail',
    ...chargeLines(idle.charges),
    line('at list prices, no free tier', idle.listUsd),
    ...idle.allowances.map(({ price, usd }) => line(`always free of ${price}`, -usd)),
    line('to pay', idle.usd),
    '',
    '1,000 mails, each drafted, approved and answered, one by one',
    ...chargeLines(mails.charges),
    line('without SES and model', mails.usd),
    line('the same in batches of ten', mails.batchedUsd),
    line('storage: raw mails until they expire, ledger for a month', mails.storageUsd),
    line('SES: taken in and sent', mails.sesUsd),
    line('model, if one drafts instead of templates', mails.modelUsd),
    '',
    `a month with ${month.mails.toLocaleString('en-US')} mails`,
    line('idle, mails, their storage and metrics', month.usd),
    line('SES', month.sesUsd),
    line('model, if one drafts', month.modelUsd),
    '',
  ].join('\n');
}

/** Less than this is no line of its own. */
const SMALL_USD = 0.0005;

function chargeLines(charges: readonly PricedCharge[]): string[] {
  const sums = new Map<string, { usd: number; count: number }>();
  for (const { price, usd } of charges) {
    const sum = sums.get(price) ?? { usd: 0, count: 0 };
    sums.set(price, { usd: sum.usd + usd, count: sum.count + 1 });
  }
  const shown = [...sums].filter(([, { usd }]) => usd >= SMALL_USD).sort(([, a], [, b]) => b.usd - a.usd);
  const rest = [...sums.values()].reduce((sum, { usd }) => sum + (usd < SMALL_USD ? usd : 0), 0);
  return [
    ...shown.map(([price, { usd, count }]) => line(`  ${price}${count > 1 ? ` × ${count}` : ''}`, usd)),
    ...(rest > 0 ? [line('  all else', rest)] : []),
  ];
}

function line(what: string, usd: number): string {
  return `  ${what.padEnd(58)}${`${usd < 0 ? '-' : ''}$${Math.abs(usd).toFixed(4)}`.padStart(10)}`;
}
