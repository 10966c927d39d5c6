import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ToolCall } from '#local-agent/tool-host.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import { entryHash } from '#protocol/ledger-entry.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { Call } from '../kernel/fate.ts';
import { CALM } from '../kernel/fate.ts';
import type { Step } from '../kernel/kernel.ts';
import { Host, SimProcess } from '../kernel/process.ts';
import type { Plan } from '../plan.ts';
import { QUIET } from '../run-seed.ts';
import { askAtEnd, runWorld } from '../run-world.ts';
import { ATTACKER, readAhead } from '../world/mails.ts';
import { createWorld } from '../world/world.ts';
import type { World } from '../world/world.ts';
import type { Auditor } from './auditor.ts';
import { auditClaims } from './claims.ts';
import { auditCuts } from './cuts.ts';
import { auditEffects } from './effects.ts';
import { auditGarbage } from './garbage.ts';
import { auditLedger } from './ledger.ts';
import { auditMails } from './mails.ts';
import { auditOwners } from './owners.ts';
import { auditProof } from './proof.ts';
import { auditSecrets } from './secrets.ts';
import { auditTrees } from './trees.ts';
import { auditVersions } from './versions.ts';
import { auditWills } from './wills.ts';
import { Witness } from './witness.ts';
import type { WitnessedEntry, WitnessView } from './witness.ts';

const MINUTE_MS = 60_000;
/** One mail that is answered, and one that waits. */
const PLAN: Plan = {
  ...QUIET,
  mails: [1, 2].map((n) => ({ id: `mail-${n}`, atMs: n * 1000, kind: 'question', echoesMs: [], lateMs: 0 })),
  deeds: [{ id: 'deed-1', atMs: 10 * MINUTE_MS, machine: 'laptop', what: 'approve', n: 0, m: 0 }],
};
const ANSWERED = taskIdOfMail('mail-1');

let world: World;
let witness: Witness;
/** The one call of the tool, as it was made. */
let called: Call | undefined;
let isOver = true;

async function begin(): Promise<void> {
  if (!isOver) world.dispose();
  isOver = false;
  world = createWorld(PLAN, { fateOf: CALM });
  world.kernel.watch({
    begin: (call) => {
      if (call.port === 'tools' && call.method === 'call') called = call;
    },
  });
  expect(await runWorld(world)).toEqual({});
  witness = new Witness(world);
}

beforeAll(() => readAhead(PLAN.mails));
afterEach(() => {
  if (!isOver) world.dispose();
  isOver = true;
});

function theCall(change: (args: ToolCall['args']) => ToolCall['args'] = (args) => args): Call {
  if (!called) throw new Error('the tool was not called');
  const call = called.args[0] as ToolCall;
  return { ...called, args: [{ ...call, args: change(call.args) }] };
}

function mailStep(destinations: readonly string[]): Step {
  const { args } = theCall().args[0] as ToolCall;
  const mail = { destinations, from: args['from'], tags: { intent: args['idempotencyKey'] } };
  return { ...theCall(), port: 'ses', method: 'send', args: [mail], result: { messageId: 'm' } };
}

function step(port: string, method: string, ...args: unknown[]): Step {
  const process = new SimProcess('laptop', new Host('laptop'));
  return { index: 1, n: 1, name: 'x', nth: 1, process, kind: 'service', port, method, args };
}

const atEnd = (auditor: Auditor): Promise<void> => askAtEnd(world, [auditor]);

/** The witness's word with some of it changed. */
function lying(change: (entries: readonly WitnessedEntry[]) => readonly WitnessedEntry[]): WitnessView {
  const entries = (): readonly WitnessedEntry[] => change(witness.entries());
  const { read, state } = witness;
  return { entries, ever: entries, turn: 0, read, state, broken: undefined };
}

describe('the check of effects', () => {
  it('is silent about what happened', async () => {
    await begin();
    const auditor = auditEffects(world, witness);
    auditor.begin?.(theCall());
    auditor.step?.(mailStep(['mail-1@linden.example']));
    await expect(atEnd(auditor)).resolves.toBeUndefined();
  });

  it('fires for other bytes (3), a second use of an approval (5), a call without its intent (6)', async () => {
    await begin();
    const fresh = (): Auditor => auditEffects(world, witness);
    expect(() => fresh().begin?.(theCall((args) => ({ ...args, text: 'other words' })))).toThrow(/^3: /);
    expect(() => fresh().begin?.(theCall((args) => ({ ...args, to: [ATTACKER] })))).toThrow(/^3: /);
    expect(() => fresh().begin?.(theCall((args) => ({ ...args, idempotencyKey: 'none' })))).toThrow(/^6: /);
    const twice = fresh();
    twice.begin?.(theCall());
    expect(() => twice.begin?.(theCall())).toThrow(/^5: /);
    const noApproval = auditEffects(
      world,
      lying((all) => all.filter(({ body }) => body.kind !== 'approval')),
    );
    expect(() => noApproval.begin?.(theCall())).toThrow(/^3: /);
  });

  it('fires for a mail to somebody else (3), a second mail (5), a mail that no call asked for (3)', async () => {
    await begin();
    const auditor = auditEffects(world, witness);
    expect(() => auditor.step?.(mailStep(['mail-1@linden.example']))).toThrow(/^3: .*no call asked/);
    auditor.begin?.(theCall());
    expect(() => auditor.step?.(mailStep([ATTACKER]))).toThrow(/^3: /);
    auditor.step?.(mailStep(['mail-1@linden.example']));
    expect(() => auditor.step?.(mailStep(['mail-1@linden.example']))).toThrow(/^5: /);
  });

  it('fires in the end for a call whose end is told nowhere (5), and for an end that it did not have (6)', async () => {
    await begin();
    const untold = auditEffects(
      world,
      lying((all) => all.filter(({ body }) => body.kind !== 'result')),
    );
    await expect(atEnd(untold)).rejects.toThrow(/^5: /);
    await expect(atEnd(auditEffects(world, witness))).rejects.toThrow(/^6: .*nothing went out/);
  });
});

it('the check of wills fires for an approval that nobody gave (4)', async () => {
  await begin();
  await expect(atEnd(auditWills(world, witness))).resolves.toBeUndefined();
  world.wills.clear();
  await expect(atEnd(auditWills(world, witness))).rejects.toThrow(/^4: .*nobody gave/);
});

describe('the check of the ledger (8)', () => {
  it.each([
    ['a hole', (rows: World['cloud']['ledger']['rows']) => rows.splice(1, 1)],
    ['an exchange', (rows: World['cloud']['ledger']['rows']) => rows.reverse()],
    ['a cut', (rows: World['cloud']['ledger']['rows']) => rows.splice(3)],
  ])('fires for %s', async (_what, tamper) => {
    await begin();
    const auditor = auditLedger(world, witness);
    auditor.step?.(step('ledger', 'append'));
    tamper(world.cloud.ledger.rows);
    await expect(atEnd(auditor)).rejects.toThrow(/^8: /);
  });

  it('fires for an entry that is written again, and for a copy that is not the table', async () => {
    await begin();
    const auditor = auditLedger(world, witness);
    auditor.step?.(step('ledger', 'append'));
    const row = world.cloud.ledger.rows[2];
    const before = row?.entry;
    if (row) row.entry = { ...(row.entry as object), at: '2026-11-21T09:00:00.000Z' };
    await expect(atEnd(auditor)).rejects.toThrow(/^8: entry 3 was changed/);
    if (row) row.entry = before;
    world.machines.get('desktop')?.disk.restore(new Map());
    await expect(atEnd(auditor)).rejects.toThrow(/^8: the copy of desktop/);
  });
});

describe('the check of a ledger that was cut', () => {
  /** The table lost its last entry, and the laptop has read it since. */
  async function cut(problem: unknown): Promise<{ auditor: Auditor; gone: unknown }> {
    await begin();
    const auditor = auditCuts(world, witness);
    const gone = world.cloud.ledger.rows.pop()?.entry;
    world.putBacks.push(world.cloud.ledger.rows.length);
    for (const machine of world.machines.values()) machine.problem = problem;
    return { auditor, gone };
  }
  const reader = new SimProcess('laptop', new Host('laptop'));
  const read = { ...step('ledger', 'read'), process: reader };

  it('is silent where a machine says that it knows more, and for who has not read since', async () => {
    const { auditor, gone } = await cut(new LedgerIntegrityError(8, 'is gone'));
    const next = {
      ...(gone as LedgerEntry),
      n: (gone as LedgerEntry).n + 1,
      prev: entryHash(gone as LedgerEntry),
    };
    expect(() => auditor.step?.({ ...step('ledger', 'append', next), result: 'appended' })).not.toThrow();
    await expect(atEnd(auditor)).resolves.toBeUndefined();
  });

  it('fires for an append to what is gone (8), an effect whose intent is (6), and for silence (8)', async () => {
    const { auditor, gone } = await cut(undefined);
    const next = {
      ...(gone as LedgerEntry),
      n: (gone as LedgerEntry).n + 1,
      prev: entryHash(gone as LedgerEntry),
    };
    auditor.step?.(read);
    const appended = { ...step('ledger', 'append', next), process: reader, result: 'appended' };
    expect(() => auditor.step?.(appended)).toThrow(/^8: .*to one that is gone/);
    const call = theCall((args) => ({ ...args, idempotencyKey: 'gone' }));
    expect(() => auditor.begin?.({ ...call, process: reader })).toThrow(/^6: .*intent is gone/);
    await expect(atEnd(auditor)).rejects.toThrow(/^8: .* saw entries that are gone/);
  });
});

describe('the checks of ownership (7)', () => {
  it('fire for two owners in an epoch, for an epoch that falls, for a late writer', async () => {
    await begin();
    const auditorOf = (change: (entry: WitnessedEntry) => WitnessedEntry): Auditor =>
      auditOwners(
        world,
        lying((all) => all.map(change)),
      );
    const owner =
      (name: string) =>
      (entry: WitnessedEntry): WitnessedEntry => ({
        ...entry,
        tasks: [
          {
            taskId: ANSWERED,
            before: undefined,
            after: {
              state: 'drafting',
              epoch: 1,
              home: 'cloud',
              owner: entry.entry.n % 2 === 0 ? name : 'desktop',
            },
          },
        ],
      });
    await expect(atEnd(auditorOf(owner('laptop')))).rejects.toThrow(/^7: .*is owned by/);
    const falls = {
      before: { state: 'drafting', epoch: 4, home: 'cloud' },
      after: { state: 'drafting', epoch: 3, home: 'cloud' },
    } as const;
    await expect(
      atEnd(auditorOf((entry) => ({ ...entry, tasks: [{ taskId: ANSWERED, ...falls }] }))),
    ).rejects.toThrow(/^7: the epoch/);
    const late = {
      before: { state: 'drafting', epoch: 4, home: 'cloud' },
      after: { state: 'done', epoch: 4, home: 'cloud' },
    } as const;
    await expect(
      atEnd(
        auditorOf((entry) => ({
          ...entry,
          entry: { ...entry.entry, taskId: ANSWERED, epoch: 3 },
          tasks: [{ taskId: ANSWERED, ...late }],
        })),
      ),
    ).rejects.toThrow(/^7: entry .* changes/);
  });

  it('fire for answers of the task store that no register would give', async () => {
    await begin();
    const { items } = world.cloud.tasks;
    const item = items.get(ANSWERED);
    if (!item) throw new Error('there is no item');
    const answered = (method: string, request: object, before: object, after: object): (() => void) => {
      const auditor = auditClaims(world);
      const call = step('tasks', method, { taskId: ANSWERED, ...request });
      return () => {
        items.set(ANSWERED, { ...item, ...before });
        auditor.begin?.(call);
        items.set(ANSWERED, { ...item, version: item.version + 1, ...after });
        auditor.step?.({ ...call, result: { won: true } });
      };
    };
    const claim = { owner: 'laptop', attemptId: 'a' };
    expect(answered('claim', claim, { owner: 'desktop' }, { owner: 'laptop', epoch: 9 })).toThrow(
      /^7: .*taken from desktop/,
    );
    expect(answered('claim', claim, {}, { owner: 'laptop' })).toThrow(/^7: .*without a new epoch/);
    expect(
      answered('renew', { owner: 'laptop', epoch: 2 }, { owner: 'laptop', epoch: 3 }, { epoch: 3 }),
    ).toThrow(/^7: .*does not hold/);
    const seen = { owner: 'desktop', epoch: 3, heartbeat: 5 };
    expect(
      answered(
        'takeover',
        { owner: 'laptop', seen },
        { ...seen, heartbeat: 6 },
        { owner: 'laptop', epoch: 4 },
      ),
    ).toThrow(/^7: .*that moved/);
    expect(
      answered('release', { owner: 'laptop', epoch: 9 }, { owner: 'laptop', epoch: 9 }, { epoch: 8 }),
    ).toThrow(/^7: .*falls/);
  });
});

describe('the check of mails', () => {
  it('fires for a mail that is nowhere (1), that made two tasks (2), that was never drafted (1)', async () => {
    await begin();
    const isOf =
      (id: string) =>
      ({ body }: WitnessedEntry): boolean =>
        body.kind === 'task' && body.changes.some((change) => change.mail?.sesMessageId === id);
    const lost = lying((all) => all.filter((entry) => !isOf('mail-2')(entry)));
    await expect(atEnd(auditMails(world, lost))).rejects.toThrow(/^1: mail-\d is nowhere/);
    const doubled = lying((all) => [...all, ...all.filter(isOf('mail-2'))]);
    await expect(atEnd(auditMails(world, doubled))).rejects.toThrow(/^2: mail-\d made 2 tasks/);
    const undrafted = lying((all) =>
      all.filter(
        ({ body }) => !(body.kind === 'task' && body.changes.some(({ event }) => event === 'drafted')),
      ),
    );
    await expect(atEnd(auditMails(world, undrafted))).rejects.toThrow(/^1: .*never was/);
  });

  it('fires for a mail that waits long where nothing fails (14)', async () => {
    await begin();
    const late = auditMails(
      world,
      lying((all) => all),
    );
    world.kernel.scheduler.nowMs += 60 * MINUTE_MS;
    late.step?.(step('ledger', 'append'));
    await expect(atEnd(late)).rejects.toThrow(/^14: mail-1 waited/);
  });
});

describe('the checks of vaults', () => {
  it('fire for a file that one more sync takes up (9) and for a path that leads out (15)', async () => {
    await begin();
    const auditor = auditTrees(world, witness);
    await expect(atEnd(auditor)).resolves.toBeUndefined();
    expect(() => auditor.step?.(step('files', 'write', '../out.md'))).toThrow(/^15: /);
    expect(() => auditor.step?.(step('files', 'move', 'in.md', '/etc/out.md'))).toThrow(/^15: /);
    world.machines.get('laptop')?.files.person.save('Notes/late.md', 'late');
    await expect(atEnd(auditor)).rejects.toThrow(/^9: one more sync of laptop wrote/);
  });

  it('fires for a vault that is not what the ledger says (9)', async () => {
    await begin();
    witness.state.files.set('Notes/gone.md', {
      id: '2.0',
      content: { sha256: 'x', sizeBytes: 1, text: 'x' },
      contentN: 2,
      ring: 'private',
      n: 2,
    });
    await expect(atEnd(auditTrees(world, witness))).rejects.toThrow(
      /^9: .*Notes\/gone.md \(not in the vault\)/,
    );
  });

  it('fires for a version that is nowhere (10)', async () => {
    await begin();
    world.book.wrote('laptop', 'a-hash-of-nothing');
    await expect(atEnd(auditVersions(world, witness))).rejects.toThrow(/^10: /);
  });
});

describe('the check of the blob store (10)', () => {
  it('fires when an entry names what is not there, and when what it names is removed', async () => {
    await begin();
    const content = { sha256: 'a'.repeat(64), sizeBytes: 1, blob: 'b'.repeat(64) };
    const body = { kind: 'files' as const, changes: [{ op: 'put' as const, path: 'a.md', content }] };
    const naming = lying((all) => all.map((seen) => (seen.entry.n === 2 ? { ...seen, body } : seen)));
    expect(() => auditGarbage(world, naming).step?.(step('ledger', 'append'))).toThrow(
      /^10: entry 2 names contents that are not/,
    );
    world.cloud.blobs.blobs.set(content.blob, Buffer.from('sealed'));
    const auditor = auditGarbage(world, naming);
    auditor.step?.(step('ledger', 'append'));
    auditor.begin?.(step('inventory', 'remove', ['c'.repeat(64)]));
    expect(() => auditor.begin?.(step('inventory', 'remove', [content.blob]))).toThrow(
      /^10: laptop removes what entry 2 names/,
    );
  });
});

describe('the check of secrets (11)', () => {
  it('fires for a canary in a request, in what the cloud can read, and in a log', async () => {
    await begin();
    const auditor = auditSecrets(world);
    expect(() => auditor.step?.(step('blobs', 'put', 'id', Buffer.from('xx zeisig-1 xx')))).toThrow(
      /^11: blobs.put/,
    );
    expect(() => auditor.step?.(step('queue', 'send', [{ deep: { text: 'zeisig-1' } }]))).toThrow(
      /^11: queue.send/,
    );
    world.machines.get('laptop')?.told.push('a note: zeisig-1');
    await expect(atEnd(auditor)).rejects.toThrow(/^11: the log of laptop/);
  });
});

describe('the check of the proof', () => {
  it('fires for a forged entry that is not named, and for a problem in an honest world', async () => {
    await begin();
    const auditor = auditProof(world, witness);
    await expect(atEnd(auditor)).resolves.toBeUndefined();
    world.forged.push(2);
    await expect(atEnd(auditor)).rejects.toThrow(/^verify: laptop does not name/);
    world.forged.length = 0;
    world.cloud.tasks.items.clear();
    await expect(atEnd(auditor)).rejects.toThrow(/^verify: laptop finds .*task-missing/);
  });
});
