import type { SeedSummary } from './seed-worker.ts';

/** What all seeds of a run made together. */
export interface TotalsReport {
  readonly from: number;
  readonly seeds: number;
  readonly violations: readonly {
    readonly seed: number;
    readonly invariant: string;
    readonly message: string;
  }[];
  /** Virtual hours in which traffic was planned; what is run after that until the world rests does not count. */
  readonly trafficHours: number;
  readonly hoursPerMinute: number;
  readonly calls: number;
  readonly entries: number;
  readonly sent: number;
  readonly faults: number;
  readonly seconds: number;
  readonly interrupted: boolean;
}

/** Sums up seeds as they come. */
export interface Totals {
  add(summary: SeedSummary): void;
  /** How far it is, on one line. */
  line(last: number): string;
  /** The first seed after which none is left out. */
  nextFrom(from: number): number;
  report(run: { readonly from: number; readonly interrupted: boolean }): TotalsReport;
}

export function totalsOf(): Totals {
  const startMs = performance.now();
  const done = new Set<number>();
  const violations: { seed: number; invariant: string; message: string }[] = [];
  const sums = { trafficHours: 0, calls: 0, entries: 0, sent: 0, faults: 0 };
  const seconds = (): number => (performance.now() - startMs) / 1000;
  const hoursPerMinute = (): number => Math.round(sums.trafficHours / (seconds() / 60));
  return {
    add: ({ seed, violation, trafficHours, calls, entries, sent, faultCount }) => {
      done.add(seed);
      if (violation) violations.push({ seed, ...violation });
      sums.trafficHours += trafficHours;
      sums.calls += calls;
      sums.entries += entries;
      sums.sent += sent;
      sums.faults += faultCount;
    },
    line: (last) => {
      const of = Number.isFinite(last) ? ` (to seed ${last})` : '';
      const broken = violations.length === 0 ? 'no violation' : `${violations.length} VIOLATIONS`;
      return `${done.size} seeds${of}: ${broken}; ${Math.round(sums.trafficHours)} simulated hours of traffic in ${Math.round(seconds())} s (${hoursPerMinute()} a minute), ${sums.calls} calls, ${sums.faults} faults, ${sums.sent} mails sent`;
    },
    nextFrom: (from) => {
      let next = from;
      while (done.has(next)) next += 1;
      return next;
    },
    report: (run) => ({
      ...run,
      seeds: done.size,
      violations: violations.toSorted((a, b) => a.seed - b.seed),
      ...sums,
      hoursPerMinute: hoursPerMinute(),
      seconds: Math.round(seconds()),
    }),
  };
}
