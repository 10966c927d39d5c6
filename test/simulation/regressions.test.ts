import { expect, it } from 'vitest';
import { taskIdOfMail } from '#protocol/ids.ts';
import { CALM } from './kernel/fate.ts';
import type { Call, Fault } from './kernel/fate.ts';
import type { Deed, Plan } from './plan.ts';
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
  const back = { id: 'mishap-1', machine: 'laptop', what: 'clock jump', ms: 3_600_001 } as const;
  const plan: Plan = {
    ...planOf({ atMs: 10 * MINUTE_MS, what: 'approve' }),
    mishaps: [{ ...back, atMs: 10 * MINUTE_MS + 1_000, amid: 'tools.prepare' }],
  };
  const { violation, sent } = await runPlan(plan, { fateOf: CALM });
  expect(violation).toBeUndefined();
  // By that clock the approval is not valid yet: it is carried out when it is.
  expect(sent).toBe(1);
});

it('a copy comes back from a backup amid the call, and the claim is not put down at once: it is in the end', async () => {
  const plan: Plan = {
    ...planOf({ atMs: 10 * MINUTE_MS, what: 'approve' }),
    mishaps: [
      {
        id: 'mishap-1',
        machine: 'laptop',
        what: 'copy restored',
        ms: 0,
        atMs: 10 * MINUTE_MS,
        amid: 'ses.send',
      },
    ],
  };
  const broken = await runWith(plan, ({ name, nth }) =>
    name === `laptop/tasks.release/${TASK.slice(0, 8)}` && nth === 1 ? 'refused' : undefined,
  );
  expect(broken).toBeUndefined();
});

it('an approval is given, its item does not follow, and the clock is set back by days: it follows while it waits', async () => {
  const plan: Plan = {
    ...planOf({ atMs: 10 * MINUTE_MS, what: 'approve' }),
    mishaps: [
      {
        id: 'mishap-1',
        machine: 'laptop',
        what: 'clock jump',
        ms: 3 * 86_400_000 + 1,
        atMs: 10 * MINUTE_MS + 5_000,
      },
    ],
  };
  const broken = await runWith(plan, ({ name, args }) =>
    name === `laptop-cli/tasks.settle/${TASK.slice(0, 8)}` && args[1] === 'approved' ? 'refused' : undefined,
  );
  expect(broken).toBeUndefined();
});

it('a copy comes back from a backup after a result whose claim was not put down: it is put down by the next process', async () => {
  const plan: Plan = {
    ...planOf({ atMs: 10 * MINUTE_MS, what: 'approve' }),
    mishaps: [
      {
        id: 'mishap-1',
        machine: 'laptop',
        what: 'copy restored',
        ms: 3_600_000,
        atMs: 11 * MINUTE_MS + 30_000,
      },
    ],
  };
  const task = TASK.slice(0, 8);
  const broken = await runWith(plan, ({ name, nth }) =>
    (name === `laptop/ses.send/${task}` && nth === 1) || name === `laptop/tasks.release/${task}`
      ? 'refused'
      : undefined,
  );
  expect(broken).toBeUndefined();
});
