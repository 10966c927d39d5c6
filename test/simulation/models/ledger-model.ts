import { GENESIS_PREV, makeEntry } from '#protocol/ledger-entry.ts';
import type { LedgerEntry, Writer } from '#protocol/ledger-entry.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { Model, Step } from './explore.ts';
import { rewritten, wrongWith } from './ledger-checks.ts';
import { ledgerWriter, realAppend } from './ledger-writer.ts';
import type { AppendRule, LedgerRequest, WriterSeen } from './ledger-writer.ts';
import { orders, symmetricKey } from './symmetry.ts';
import { SteppedCode } from './stepped-code.ts';
import type { Happening, Moment } from './stepped-code.ts';

type WriterMoment = Moment<LedgerRequest, WriterSeen>;
type Rows = readonly LedgerEntry[];

/** The table and everybody who writes to it. */
export interface LedgerWorld {
  /** In the order of their numbers. */
  readonly rows: Rows;
  readonly writers: readonly WriterMoment[];
  /** Puts that their authors have given up, and that may still arrive. */
  readonly late: readonly LedgerEntry[];
  /** Replies that may still get lost, and deaths that may still happen. */
  readonly losses: number;
  readonly deaths: number;
  /** Of mutations only. */
  readonly allocated: number;
}

/** What the table does, and how writers append. */
export interface LedgerRules {
  readonly append: AppendRule;
  /** @returns the rows after it, and the answer. */
  readonly put: (
    rows: Rows,
    entry: LedgerEntry,
  ) => { readonly rows: Rows; readonly answer: 'appended' | 'taken' };
}

/** The conditional put, as `adapters/dynamodb-ledger-store.ts` asks for it. */
export const REAL_LEDGER: LedgerRules = {
  append: realAppend,
  put: (rows, entry) =>
    rows.some(({ n }) => n === entry.n)
      ? { rows, answer: 'taken' }
      : { rows: [...rows, entry].sort((a, b) => a.n - b.n), answer: 'appended' },
};

/** How much is explored. */
export interface LedgerSize {
  readonly writers: number;
  /** How many entries each wants. */
  readonly wishes: number;
  readonly losses: number;
  readonly deaths: number;
}

const VAULT = 'v';
/** Which wish of its writer an entry is: an attempt may be of one wish or of the next, as its history will have it. */
const wishNumbers = new Map<string, string>();
const KEY = (letter: string): string => letter.repeat(43);

/**
 * Writers append to one ledger. Each of their requests may be answered, take effect and have its reply lost, or get no
 * reply and arrive at any later time or never; each writer may die before or after a request took effect.
 *
 * Abstract are: the clock (it stands still and nobody waits: the pause between two tries only spreads them), sealing
 * and signatures (`plain-crypto.ts`), and pages (one holds all). Everything else is the real `LedgerSession`.
 */
export async function ledgerModel(
  size: LedgerSize,
  rules: LedgerRules = REAL_LEDGER,
): Promise<Model<LedgerWorld>> {
  const names = Array.from({ length: size.writers }, (_, index) => `w${index}`);
  const root = writerNamed('root', 'r');
  const first = firstEntry(root, names);
  const codes = names.map((name, index) => {
    const wishes = Array.from({ length: size.wishes }, (_, wish) => wishOf(name, wish));
    const options = { writer: writerNamed(name, String(index)), root: root.signingKey.publicKey, wishes };
    return new SteppedCode<LedgerRequest, WriterSeen>((ask) =>
      ledgerWriter(ask, { ...options, append: rules.append }),
    );
  });
  const initial: LedgerWorld = {
    rows: [first],
    writers: await Promise.all(codes.map((code) => code.start())),
    late: [],
    losses: size.losses,
    deaths: size.deaths,
    allocated: 1,
  };

  async function hears(world: LedgerWorld, index: number, happening: Happening): Promise<LedgerWorld> {
    const code = codes[index];
    const moment = world.writers[index];
    if (!code || !moment) throw new Error(`there is no writer ${index}`);
    const after = await code.after(moment, happening);
    return { ...world, writers: world.writers.map((writer, at) => (at === index ? after : writer)) };
  }

  /** The table does what it was asked. */
  function takesEffect(world: LedgerWorld, request: LedgerRequest): { world: LedgerWorld; reply: Happening } {
    if (request.op === 'append') {
      const { rows, answer } = rules.put(world.rows, request.entry);
      return { world: settled({ ...world, rows }), reply: { kind: 'reply', text: answer, value: answer } };
    }
    if (request.op === 'allocate') {
      const allocated = world.allocated + 1;
      return {
        world: { ...world, allocated },
        reply: { kind: 'reply', text: `#${allocated}`, value: allocated },
      };
    }
    const found = world.rows.filter(({ n }) => n > request.after);
    const entries = found.filter(({ sig }) => !request.known?.some((known) => known.sig === sig));
    const text = `[${placesOf(entries)}]`;
    const value = { entries, more: false, leftOut: found.length - entries.length };
    return { world, reply: { kind: 'reply', text, value } };
  }

  async function* stepsOf(world: LedgerWorld, index: number): AsyncGenerator<Step<LedgerWorld>> {
    const request = world.writers[index]?.request;
    if (!request) return;
    const name = `${names[index]}: ${wordsOf(request)}`;
    const { world: done, reply } = takesEffect(world, request);
    const replied = reply.kind === 'reply' ? reply.text : '';
    const step = (label: string, to: LedgerWorld): Step<LedgerWorld> => ({
      ...{ label: `${name}${label}`, to, wrong: rewritten(world, to) },
    });
    yield step(` → ${replied}`, await hears(done, index, reply));
    const isPut = request.op === 'append';
    const away = isPut ? settled({ ...world, late: [...world.late, request.entry] }) : world;
    if (world.losses > 0) {
      const losses = world.losses - 1;
      yield step(', no reply yet', { ...(await hears(away, index, { kind: 'failed' })), losses });
      if (done !== world) {
        yield step(` → ${replied}, the reply is lost`, {
          ...(await hears(done, index, { kind: 'failed' })),
          losses,
        });
      }
    }
    if (world.deaths > 0) {
      const deaths = world.deaths - 1;
      yield step(' and dies at once', { ...(await hears(away, index, { kind: 'crash' })), deaths });
      if (done !== world) {
        yield step(` → ${replied}, and dies`, { ...(await hears(done, index, { kind: 'crash' })), deaths });
      }
    }
  }

  return {
    initial,
    async steps(world) {
      const steps: Step<LedgerWorld>[] = [];
      for (const index of names.keys()) for await (const step of stepsOf(world, index)) steps.push(step);
      for (const [at, entry] of world.late.entries()) {
        const late = world.late.filter((_, other) => other !== at);
        const { rows } = rules.put(world.rows, entry);
        const to = settled({ ...world, rows, late });
        steps.push({
          label: `${wordsOf({ op: 'append', entry })} arrives late`,
          to,
          wrong: rewritten(world, to),
        });
      }
      return steps;
    },
    key: keyOf(size.writers),
    check: wrongWith,
    isGoal: ({ rows, writers }) =>
      writers.every(({ request }) => request === undefined) && rows.length === 1 + size.writers * size.wishes,
  };

  /** A put whose number is taken can do nothing any more, however late it comes. */
  function settled(world: LedgerWorld): LedgerWorld {
    return {
      ...world,
      late: world.late.filter((entry) => rules.put(world.rows, entry).answer === 'appended'),
    };
  }
}

/** Writers differ by nothing but their names. */
function keyOf(writers: number): Model<LedgerWorld>['key'] {
  const twins = orders(writers);
  return ({ rows, late, losses, deaths, allocated, writers: moments }) => {
    const shared = `${losses},${deaths},${allocated}|${placesOf(rows)}|${placesOf(late)}`;
    return symmetricKey(
      twins,
      shared,
      moments.map(({ history }) => history),
    );
  };
}

function wishOf(writer: string, wish: number): string {
  const taskId = taskIdOfMail(`${writer}/${wish}`);
  wishNumbers.set(taskId, `/${wish}`);
  return taskId;
}

function placesOf(entries: Rows): string {
  return entries
    .map(({ n, attempt, taskId = '' }) => `${n}:${attempt}${wishNumbers.get(taskId) ?? ''}`)
    .join();
}

function wordsOf(request: LedgerRequest): string {
  if (request.op === 'append') return `put ${request.entry.n} (${request.entry.attempt})`;
  return request.op === 'read' ? `read after ${request.after}` : 'allocate a number';
}

function writerNamed(name: string, letter: string): Writer {
  const signingKey = { publicKey: KEY(letter), privateKey: KEY(letter) };
  return {
    vaultId: VAULT,
    writer: name,
    signingKey,
    keyring: [{ keyEpoch: 1, shared: KEY('s'), private: KEY('p') }],
  };
}

function firstEntry(root: Writer, names: readonly string[]): LedgerEntry {
  const writers = [root, ...names.map((name, index) => writerNamed(name, String(index)))].map(
    ({ writer, signingKey: { publicKey } }) => ({ writer, zone: 'local' as const, publicKey }),
  );
  return makeEntry(
    { n: 0, hash: GENESIS_PREV },
    { body: { kind: 'keys', keyEpoch: 1, writers, approvers: [] } },
    root,
    { at: '2026-11-21T08:00:00.000Z', attempt: 'first' },
  );
}
