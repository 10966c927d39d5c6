import { LedgerEntry } from '#protocol/ledger-entry.ts';
import { CALM, FAULTS_OF } from '../kernel/fate.ts';
import type { Call, FateOf, Fault, PortKind } from '../kernel/fate.ts';
import { runPlan } from '../run-seed.ts';
import type { SeedResult } from '../run-seed.ts';
import type { Scenario } from './scenarios.ts';

/** One fault at one call: the `n`-th of an actor. */
export interface Point {
  readonly actor: string;
  readonly n: number;
  readonly call: string;
  readonly fault: Fault;
}

/** What a sweep of one scenario came to. */
export interface Swept {
  readonly scenario: string;
  /** Calls of the quiet run, and points that were tried. */
  readonly calls: number;
  readonly points: number;
  readonly violations: readonly {
    readonly point: Point;
    readonly invariant: string;
    readonly message: string;
  }[];
}

export interface SweepOptions {
  /** Every which point is tried. @default 1 */
  readonly every?: number;
  /** With which one it begins. @default 0 */
  readonly from?: number;
  /** Stop at the first violation. @default false */
  readonly first?: boolean;
  /** Told after each point. */
  readonly progress?: (done: number, total: number) => void;
}

/** After a crash the same actor dies once more, so many calls later: often within what it does to recover. */
const SECOND_CRASHES = [1, 2, 3, 5, 8, 13, 21];

/**
 * Runs a scenario again and again, with one fault at one call of one port each time: every call in turn, and every
 * fault that such a call can have. Who crashes is started again, crashes a second time while it recovers, and is
 * started again. Every invariant has to hold each time.
 *
 * @throws when the scenario breaks an invariant without any fault, or is not about what it says.
 */
export async function sweep(scenario: Scenario, options: SweepOptions = {}): Promise<Swept> {
  const { name, plan, tells } = scenario;
  const { every = 1, from = 0, first = false, progress } = options;
  const made: Pick<Call, 'n' | 'kind' | 'port' | 'method' | 'process'>[] = [];
  let kinds = '';
  const quiet = await runPlan(plan, {
    fateOf: (call) => {
      made.push(call);
      return CALM(call);
    },
    inspect: ({ cloud }) => {
      kinds = cloud.ledger.rows.map(({ entry }) => LedgerEntry.parse(entry).kind).join(' ');
    },
  });
  if (quiet.violation) throw new Error(`${name}, without any fault: ${quiet.violation.message}`);
  if (kinds !== tells) throw new Error(`${name}: its ledger tells "${kinds}", and has to tell "${tells}"`);
  const points = made.flatMap((call) =>
    faultsOf(call).map((fault): Point => {
      const { n, port, method, process } = call;
      return { actor: process.name, n, call: `${port}.${method}`, fault };
    }),
  );
  const chosen = points.filter((_, index) => index % every === from % every);
  const violations: { point: Point; invariant: string; message: string }[] = [];
  for (const [index, point] of chosen.entries()) {
    const { violation } = await runPoint(scenario, point);
    if (violation) violations.push({ point, ...violation });
    progress?.(index + 1, chosen.length);
    if (first && violations.length > 0) break;
  }
  return { scenario: name, calls: quiet.calls, points: chosen.length, violations };
}

/** Runs a scenario with one fault. */
export function runPoint(
  { plan }: Scenario,
  point: Point,
  keeps: 'nothing' | 'changes' | 'everything' = 'nothing',
): Promise<SeedResult> {
  return runPlan(plan, { fateOf: fateAt(point), keeps });
}

function fateAt({ actor, n, fault }: Point): FateOf {
  const again = n + (SECOND_CRASHES[n % SECOND_CRASHES.length] ?? 1);
  const crashes = fault.startsWith('crash');
  return (call) => {
    const calm = CALM(call);
    if (call.process.name !== actor) return calm;
    if (call.n === n && knows(call.kind, fault)) return { ...calm, fault };
    if (crashes && call.n === again) return { ...calm, fault: 'crash-after' };
    return calm;
  };
}

/** Calls that change nothing: to die before one is to die after it, and a full disk does not refuse it. */
const LOOKS = new Set([
  ...['files.read', 'files.stat', 'files.list', 'ledger.read', 'tasks.get', 'localTasks.get'],
  ...['blobs.get', 'mails.read', 'secret.read', 'inventory.page'],
]);

/** The faults of a call that differ in what they do. */
function faultsOf({ kind, port, method }: Pick<Call, 'kind' | 'port' | 'method'>): readonly Fault[] {
  if (!LOOKS.has(`${port}.${method}`)) return FAULTS_OF[kind];
  return FAULTS_OF[kind].filter((fault) => fault !== 'crash-before' && fault !== 'disk-full');
}

function knows(kind: PortKind, fault: Fault): boolean {
  return FAULTS_OF[kind].includes(fault);
}

/** A point as a person reads it, and as `--point` takes it. */
export function pointName({ actor, n, call, fault }: Point): string {
  return `${actor}/${n}/${fault} (${call})`;
}
