import { makeEntry } from '#protocol/ledger-entry.ts';
import type { EntryDraft } from '#protocol/ledger-entry.ts';
import type { AppendOutcome } from '#protocol/ledger-session.ts';
import { REAL_LEDGER } from './ledger-model.ts';
import type { LedgerRules } from './ledger-model.ts';
import type { AppendRule, AppendTools } from './ledger-writer.ts';

/** A rule that is broken on purpose, and how soon the model has to see it. */
export interface LedgerMutant {
  readonly name: string;
  readonly rules: LedgerRules;
  /** The length of the shortest trace to a violation. */
  readonly steps: number;
  readonly wrong: RegExp;
}

/** An append of one's own making: what is said when, under which attempt, and what is made of the answers. */
function appending(
  say: (tools: AppendTools, draft: EntryDraft) => Promise<AppendOutcome | 'again'>,
): LedgerRules {
  const append: AppendRule = async (tools, build) => {
    await tools.session.pull();
    for (;;) {
      const draft = build(tools.session.state);
      if (!draft) return { appended: false };
      const outcome = await say(tools, draft);
      if (outcome !== 'again') return outcome;
    }
  };
  return { ...REAL_LEDGER, append };
}

/** One put behind the head as it was read. */
async function putOnce(
  { session, ledger, writer, clock }: AppendTools,
  draft: EntryDraft,
  attempt: string,
): Promise<AppendOutcome | 'taken'> {
  const entry = makeEntry(session.state.head, draft, writer, { at: clock.now(), attempt });
  return (await ledger.append(entry)) === 'appended' ? { appended: true, entry } : 'taken';
}

/** Broken ways to append. */
export function ledgerMutants(): readonly LedgerMutant[] {
  return [
    {
      name: 'an append without a condition',
      rules: {
        ...REAL_LEDGER,
        put: (rows, entry) => ({
          rows: [...rows.filter(({ n }) => n !== entry.n), entry],
          answer: 'appended',
        }),
      },
      steps: 3,
      wrong: /was rewritten/,
    },
    {
      name: 'a number that is allocated first and written later',
      rules: appending(async ({ allocate, session, ledger, writer, clock, ids }, draft) => {
        const n = await allocate();
        const head = { n: n - 1, hash: session.state.head.hash };
        const entry = makeEntry(head, draft, writer, { at: clock.now(), attempt: ids.next() });
        return (await ledger.append(entry)) === 'appended' ? { appended: true, entry } : 'again';
      }),
      steps: 5,
      wrong: /is missing/,
    },
    {
      name: 'a lost reply is taken for a failure, and the same is said again under a new attempt',
      rules: appending(async (tools, draft) => {
        for (;;) {
          const outcome = await putOnce(tools, draft, tools.ids.next()).catch(() => 'taken' as const);
          if (outcome !== 'taken') return outcome;
          await tools.session.pull();
        }
      }),
      steps: 4,
      wrong: /stands twice/,
    },
    {
      name: 'a number that is taken is not looked at for the own attempt',
      rules: appending(async (tools, draft) => {
        const attempt = tools.ids.next();
        for (;;) {
          const outcome = await putOnce(tools, draft, attempt).catch(() => 'lost' as const);
          if (typeof outcome === 'object') return outcome;
          // A put without an answer is sent again as it was, and finds itself in its way.
          if (outcome === 'taken') await tools.session.pull();
        }
      }),
      steps: 5,
      wrong: /stands twice/,
    },
    {
      name: 'a number that is taken is taken for the own success',
      rules: appending(async (tools, draft) => {
        const attempt = tools.ids.next();
        const entry = makeEntry(tools.session.state.head, draft, tools.writer, {
          ...{ at: tools.clock.now(), attempt },
        });
        await tools.ledger.append(entry);
        return { appended: true, entry };
      }),
      steps: 4,
      wrong: /is believed to stand, and does not/,
    },
    {
      name: 'an answer that is lost is taken for a success',
      rules: appending(async (tools, draft) => {
        const attempt = tools.ids.next();
        const entry = makeEntry(tools.session.state.head, draft, tools.writer, {
          ...{ at: tools.clock.now(), attempt },
        });
        const answer = await tools.ledger.append(entry).catch(() => 'appended' as const);
        if (answer === 'appended') return { appended: true, entry };
        await tools.session.pull();
        return 'again';
      }),
      steps: 2,
      wrong: /is believed to stand, and does not/,
    },
  ];
}
