import { expect, it } from 'vitest';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { CALM } from './kernel/fate.ts';
import type { Call, Fault } from './kernel/fate.ts';
import { DONE } from './plan.ts';
import type { Cut, Deed, Mishap, Plan } from './plan.ts';
import { QUIET, runPlan } from './run-seed.ts';

const MINUTE_MS = 60_000;
const TASK = taskIdOfMail('mail-1');

/** One mail, and what people do about its draft. */
function planOf(...deeds: readonly Pick<Deed, 'atMs' | 'what'>[]): Plan {
  return {
    ...QUIET,
    mails: [{ id: 'mail-1', atMs: 0, kind: 'question', echoesMs: [], lateMs: 0 }],
    deeds: deeds.map((deed, index) => ({ id: `deed-${index + 1}`, machine: 'laptop', n: 0, m: 1, ...deed })),
  };
}

/** One mail whose draft is approved at the laptop, and what befalls that machine then. */
function approvedThen(mishap: Pick<Mishap, 'atMs' | 'what' | 'ms' | 'amid'>): Plan {
  return {
    ...planOf({ atMs: 10 * MINUTE_MS, what: 'approve' }),
    mishaps: [{ id: 'mishap-1', machine: 'laptop', ...mishap }],
  };
}

/** Runs it with the faults that are named; each has to happen. */
async function runWith(plan: Plan, faultOf: (call: Call) => Fault | undefined): Promise<string | undefined> {
  let happened = 0;
  const { violation } = await runPlan(plan, {
    fateOf: (call) => {
      const fault = faultOf(call);
      if (fault) happened += 1;
      return fault ? { ...CALM(call), fault } : CALM(call);
    },
  });
  expect(happened).toBeGreaterThan(0);
  return violation?.message;
}

// Each was found by a seed, minimised, and written down as what it needs.

it('an approval is voided, and the machine dies before the item follows: the next process lets it', async () => {
  const plan = planOf(
    { atMs: 10 * MINUTE_MS, what: 'approve' },
    { atMs: 10 * MINUTE_MS + 10_000, what: 'edit approved' },
  );
  const dies = ({ name, process, args }: Call): boolean =>
    process.name === 'laptop' && name.endsWith('tasks.settle/' + TASK.slice(0, 8)) && args[1] === 'voided';
  let isDead = false;
  const broken = await runWith(plan, (call) => {
    if (isDead || !dies(call)) return undefined;
    isDead = true;
    return 'crash-before';
  });
  expect(broken).toBeUndefined();
});

it('a claim is forgotten on a full disk, and its approval voided: the item is free again', async () => {
  const plan = planOf(
    { atMs: 10 * MINUTE_MS, what: 'approve' },
    { atMs: 11 * MINUTE_MS, what: 'edit approved' },
  );
  const broken = await runWith(plan, ({ port, method, nth }) =>
    port === 'copy' && method === 'noteClaim' && nth <= 50 ? 'disk-full' : undefined,
  );
  expect(broken).toBeUndefined();
});

it('a result stands in the ledger, and the copy has no room for it: the claim is not put down as if it still ran', async () => {
  const plan = planOf({ atMs: 10 * MINUTE_MS, what: 'approve' });
  const full = new Set<string>();
  const broken = await runWith(plan, ({ port, method, args }) => {
    const what = port === 'copy' && (method === 'keep' || method === 'journal') ? JSON.stringify(args) : '';
    // First the answer finds no room, so that the next pass has to write the result; then the result does not.
    const which = ['"stage":"answered"', '"kind":"result"'].find((words) => what.includes(words));
    if (which === undefined || full.has(which)) return undefined;
    full.add(which);
    return 'disk-full';
  });
  expect(full.size).toBe(2);
  expect(broken).toBeUndefined();
});

it('a clock is set back between the look at an approval and its intent: nothing is begun that readers refuse', async () => {
  const plan = approvedThen({
    what: 'clock jump',
    ms: 3_600_001,
    atMs: 10 * MINUTE_MS + 1_000,
    amid: 'tools.prepare',
  });
  const { violation, sent } = await runPlan(plan, { fateOf: CALM });
  expect(violation).toBeUndefined();
  // By that clock the approval is not valid yet: it is carried out when it is.
  expect(sent).toBe(1);
});

it('a copy comes back from a backup amid the call, and the claim is not put down at once: it is in the end', async () => {
  const plan = approvedThen({ what: 'copy restored', ms: 0, atMs: 10 * MINUTE_MS, amid: 'ses.send' });
  const broken = await runWith(plan, ({ name, nth }) =>
    name === `laptop/tasks.release/${TASK.slice(0, 8)}` && nth === 1 ? 'refused' : undefined,
  );
  expect(broken).toBeUndefined();
});

it('an approval is given, its item does not follow, and the clock is set back by days: it follows while it waits', async () => {
  const plan = approvedThen({ what: 'clock jump', ms: 3 * 86_400_000 + 1, atMs: 10 * MINUTE_MS + 5_000 });
  const broken = await runWith(plan, ({ name, args }) =>
    name === `laptop-cli/tasks.settle/${TASK.slice(0, 8)}` && args[1] === 'approved' ? 'refused' : undefined,
  );
  expect(broken).toBeUndefined();
});

it('a copy comes back from a backup after a result whose claim was not put down: it is put down by the next process', async () => {
  const plan = approvedThen({ what: 'copy restored', ms: 3_600_000, atMs: 11 * MINUTE_MS + 30_000 });
  const task = TASK.slice(0, 8);
  const broken = await runWith(plan, ({ name, nth }) =>
    (name === `laptop/ses.send/${task}` && nth === 1) || name === `laptop/tasks.release/${task}`
      ? 'refused'
      : undefined,
  );
  expect(broken).toBeUndefined();
});

it('a wrong clock makes nothing old, though entries were written by it: what is about to be named stays', async () => {
  const [at, minute] = [10 * MINUTE_MS, MINUTE_MS];
  const long = { machine: 'laptop', what: 'write note', n: 0, m: 5 } as const;
  const plan: Plan = {
    ...QUIET,
    lengthMs: 3 * 60 * minute,
    deeds: [
      { ...long, id: 'deed-1', atMs: at },
      { ...long, id: 'deed-2', atMs: at + 2 * minute, machine: 'desktop', m: 1 },
    ],
    mishaps: [
      { id: 'mishap-1', machine: 'laptop', what: 'sleep', ms: 60 * minute, atMs: at, amid: 'blobs.put' },
      { id: 'mishap-2', machine: 'desktop', what: 'clock jump', ms: 30 * 60 * minute, atMs: at + minute },
    ],
    collections: [{ id: 'gc-1', machine: 'desktop', by: 'desktop', atMs: at + 10 * minute }],
  };
  const { violation, trace } = await runPlan(plan, { fateOf: CALM, keeps: 'changes' });
  expect(violation).toBeUndefined();
  expect(trace.join('\n')).toContain('gc-1 of 1 objects 0 were removed, 1 wait');
});

it('a machine sleeps while it clears up, and another one stores and names what was left: that is not removed', async () => {
  const hour = 60 * MINUTE_MS;
  const [at, wakes] = [10 * MINUTE_MS, 10 * MINUTE_MS + 26 * hour];
  const stored = { machine: 'laptop', atMs: at, amid: 'blobs.put' } as const;
  const long = { what: 'write note', n: 0, m: 5 } as const;
  const plan: Plan = {
    ...QUIET,
    lengthMs: 30 * hour,
    pollMs: 3 * hour,
    deeds: [
      { ...long, id: 'deed-1', machine: 'laptop', atMs: at },
      { ...long, id: 'deed-2', machine: 'desktop', atMs: wakes - 4 * MINUTE_MS },
    ],
    mishaps: [
      { ...stored, id: 'mishap-1', what: 'power cut', ms: 0 },
      { ...stored, id: 'mishap-2', what: 'sleep', ms: 26 * hour },
    ],
    collections: [{ id: 'gc-1', machine: 'desktop', by: 'desktop', atMs: wakes - 2 * MINUTE_MS }],
  };
  const asleep: string[] = [];
  // In turn between any two calls of the collection, until it was over before.
  for (let delayMs = 0; asleep.length === delayMs / 10; delayMs += 10) {
    const sleep: Mishap = {
      ...{ id: 'mishap-3', machine: 'desktop', what: 'sleep', ms: hour / 2 },
      atMs: wakes - 2 * MINUTE_MS + delayMs,
    };
    const slept = { ...plan, mishaps: [...plan.mishaps, sleep] };
    const { violation, trace } = await runPlan(slept, { fateOf: CALM, keeps: 'changes' });
    expect(violation, `asleep after ${delayMs} ms`).toBeUndefined();
    const end = trace.find((line) => line.includes('gc-1 of')) ?? '';
    if (end.startsWith('1d 02:3')) asleep.push(end);
  }
  expect(asleep.length).toBeGreaterThan(5);
});

/** One mail whose draft is approved at the laptop, and a ledger that loses its last entries at some call of it. */
function approvedAmid(cut: Pick<Cut, 'atMs' | 'entries' | 'amid' | 'wholeAfterMs'>): Plan {
  return {
    ...planOf({ atMs: 130 * MINUTE_MS, what: 'approve' }),
    lengthMs: 240 * MINUTE_MS,
    cuts: [{ id: 'cut-1', machine: 'laptop', ...cut }],
  };
}

it.each([undefined, 30 * MINUTE_MS])(
  'the ledger is cut right before a machine appends: it notices at its next read, also as a new process (%s)',
  async (wholeAfterMs) => {
    const cut = approvedAmid({
      ...{ atMs: 130 * MINUTE_MS, entries: 1, amid: 'ledger.append' },
      ...(wholeAfterMs === undefined ? {} : { wholeAfterMs }),
    });
    const edited: Plan = {
      ...cut,
      deeds: [
        { id: 'deed-1', machine: 'laptop', what: 'edit draft', atMs: 130 * MINUTE_MS, n: 0, m: 1 },
        { id: 'deed-2', machine: 'laptop', what: 'approve', atMs: 131 * MINUTE_MS, n: 0, m: 1 },
      ],
    };
    let told: unknown;
    const { violation, sent } = await runPlan(edited, {
      inspect: ({ machines }) => {
        told = machines.get('laptop')?.problem;
      },
    });
    expect({ message: violation?.message, sent }).toEqual({ message: undefined, sent: 0 });
    if (wholeAfterMs === undefined) expect(told).toBeInstanceOf(LedgerIntegrityError);
    else expect(told).toBeUndefined();
  },
);

it.each([
  ['copy restored'],
  ['copy restored', 'vault restored'],
  ['copy restored', 'items restored'],
] as const)(
  'ledger and %s to before an approval was carried out: it is not carried out again, and the person is asked',
  async (...whats) => {
    const atMs = 140 * MINUTE_MS;
    const plan: Plan = {
      ...approvedAmid({ atMs, entries: 2 }),
      mishaps: whats.map((what, index) => ({
        ...{ id: `mishap-${index + 1}`, machine: 'laptop', atMs: atMs + index, ms: 0 },
        what,
      })),
    };
    let state: string | undefined;
    const { violation, sent } = await runPlan(plan, {
      inspect: ({ cloud }) => {
        state = cloud.tasks.items.get(TASK)?.state;
      },
    });
    expect({ message: violation?.message, sent, state }).toEqual({
      ...{ message: undefined, sent: 1, state: 'pending_approval' },
    });
  },
);

it('a machine executes, and all but the archive forgets it: another one, which had looked there before, asks first', async () => {
  const done = { atMs: 130 * MINUTE_MS, machine: 'laptop', amid: DONE } as const;
  const deed = { n: 0, m: 1 } as const;
  const plan: Plan = {
    ...QUIET,
    lengthMs: 240 * MINUTE_MS,
    mails: ['mail-1', 'mail-2'].map((id) => ({ id, atMs: 0, kind: 'question', echoesMs: [], lateMs: 0 })),
    deeds: [
      { ...deed, id: 'deed-1', machine: 'desktop', what: 'approve by move', atMs: 125 * MINUTE_MS },
      { ...deed, id: 'deed-2', machine: 'laptop', what: 'approve', atMs: done.atMs },
      { ...deed, id: 'deed-3', machine: 'desktop', what: 'approve by move', atMs: 160 * MINUTE_MS },
    ],
    cuts: [{ ...done, id: 'cut-1', entries: 2 }],
    mishaps: [
      { ...done, id: 'mishap-1', what: 'copy restored', ms: 0 },
      { ...done, id: 'mishap-2', what: 'items restored', ms: 0 },
    ],
  };
  const { violation, sent } = await runPlan(plan);
  expect({ message: violation?.message, sent }).toEqual({ message: undefined, sent: 2 });
});

it('keys of an earlier rotation are carried over after those of a later one: the newer ones stay', async () => {
  const rotation = { machine: 'laptop', compromised: true, grows: false } as const;
  const plan: Plan = {
    ...QUIET,
    lengthMs: 3 * 60 * MINUTE_MS,
    rotations: [
      { ...rotation, id: 'rotation-1', atMs: 10 * MINUTE_MS, handOverMs: 60 * MINUTE_MS },
      { ...rotation, id: 'rotation-2', atMs: 20 * MINUTE_MS, handOverMs: 10 * MINUTE_MS },
    ],
  };
  const { violation } = await runPlan(plan, { fateOf: CALM });
  expect(violation).toBeUndefined();
});
