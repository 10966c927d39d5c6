import { entryHash, LedgerEntry } from '#protocol/ledger-entry.ts';
import type { Cut } from '../plan.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

type Rows = World['cloud']['ledger']['rows'];

/** Puts the ledger's table back to an earlier state now and, if that is planned, to the later one again. */
export function cutLedger(world: World, { id, entries, wholeAfterMs }: Cut): void {
  const { rows } = world.cloud.ledger;
  const { scheduler, trace } = world.kernel;
  const before = [...rows];
  const kept = Math.max(1, rows.length - entries);
  if (kept >= rows.length) return;
  putBack(world, rows.slice(0, kept));
  if (wholeAfterMs === undefined) return;
  // When the plan is over everything works again.
  scheduler.in(Math.min(wholeAfterMs, world.plan.lengthMs - scheduler.nowMs), () => {
    const followers = chainAfter(before, rows);
    const isForked = rows.length - kept > followers.length;
    trace.note(
      scheduler.nowMs,
      id,
      `the ledger is put back whole${isForked ? ', over what came since' : ''}`,
    );
    putBack(world, [...before, ...followers]);
  });
}

function putBack(world: World, to: Rows): void {
  const { rows } = world.cloud.ledger;
  const changed = to.findIndex((row, index) => row !== rows[index]);
  world.putBacks.push(changed < 0 ? to.length : changed);
  rows.splice(0, rows.length, ...to);
}

/** What somebody appended who had not heard yet that the table was cut, and what goes on from there. */
function chainAfter(before: Rows, rows: Rows): Rows {
  const followers: Rows = [];
  for (let last = before.at(-1); last;) {
    const hash = entryHash(LedgerEntry.parse(last.entry));
    last = rows.find(({ entry }) => (entry as LedgerEntry).prev === hash);
    if (last) followers.push(last);
  }
  return followers;
}

/** The first entry that this machine saw and that does not stand in the table; `undefined` where all of it does. */
export function firstUnknown(
  { cloud }: Pick<World, 'cloud'>,
  { disk }: Pick<Machine, 'disk'>,
): number | undefined {
  const { copy } = disk;
  const stands = new Map(cloud.ledger.rows.map(({ n, entry }) => [n, LedgerEntry.safeParse(entry).data]));
  for (let n = 1; n <= copy.last(); n++) {
    const entry = stands.get(n);
    const hash = copy.hashOf(n);
    if (hash !== undefined && (!entry || entryHash(entry) !== hash)) return n;
  }
  return undefined;
}

/** The machines that saw entries which do not stand in the table. */
export function machinesAhead(world: World): Machine[] {
  if (world.putBacks.length === 0) return [];
  return [...world.machines.values()].filter((machine) => firstUnknown(world, machine) !== undefined);
}
