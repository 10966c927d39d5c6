import type { AttackKind, Deed, DeedKind, MailKind, Mishap, MishapKind, Plan, PlannedMail } from '../plan.ts';
import { QUIET } from '../run-seed.ts';

const MINUTE_MS = 60_000;
/** By then a draft of the first mail waits on every machine. */
const DRAFTED = 30;

/** A short course of events in which every call is made to fail in turn. */
export interface Scenario {
  readonly name: string;
  readonly plan: Plan;
}

interface Course {
  /** Mails by the minute at which SES accepts them. */
  readonly mails?: readonly (readonly [number, MailKind])[];
  /** By minute and machine. `n` chooses the note that is meant; the mails' notes come first. */
  readonly deeds?: readonly (readonly [number, 'laptop' | 'desktop', DeedKind, number?, number?])[];
  readonly mishaps?: readonly (readonly [number, string, MishapKind, number])[];
  readonly attacks?: readonly (readonly [number, AttackKind])[];
  readonly change?: Partial<Plan>;
}

const QUESTION = [0, 'question'] as const;

const COURSES: Readonly<Record<string, Course>> = {
  'a mail is answered': { mails: [QUESTION], deeds: [[DRAFTED, 'laptop', 'approve']] },
  'a note is dragged into Approved': { mails: [QUESTION], deeds: [[DRAFTED, 'laptop', 'approve by move']] },
  'a draft is edited and approved elsewhere': {
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'edit draft', 0, 1],
      [60, 'desktop', 'approve'],
    ],
  },
  'a note is edited after it was approved': {
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'approve'],
      [DRAFTED, 'laptop', 'edit approved', 0, 1],
      [90, 'laptop', 'approve'],
    ],
  },
  'both machines approve at once': {
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'approve'],
      [DRAFTED, 'desktop', 'approve'],
    ],
  },
  'one task is rejected and one by hand': {
    mails: [QUESTION, [1, 'long']],
    deeds: [
      [DRAFTED, 'laptop', 'reject'],
      [60, 'desktop', 'reject by move'],
    ],
  },
  'mails that nobody answers': {
    mails: [
      [0, 'newsletter'],
      [0, 'bounce'],
      [0, 'virus'],
      [0, 'unreadable'],
      [0, 'two-senders'],
      [0, 'injection'],
    ],
    change: { obedientModel: true },
  },
  'one mail is delivered three times': {
    mails: [QUESTION, [1, 'question']],
    deeds: [[60, 'laptop', 'approve']],
    change: { duplicates: 0.5 },
  },
  'notes are written, edited, moved and removed': {
    deeds: [
      [1, 'laptop', 'write note', 0, 5],
      [DRAFTED, 'desktop', 'edit note'],
      [60, 'laptop', 'move note', 0, 1],
      [90, 'desktop', 'remove note'],
      [91, 'desktop', 'write secret'],
    ],
  },
  'one note is edited on both machines': {
    deeds: [
      [1, 'laptop', 'write note', 0, 3],
      [DRAFTED, 'laptop', 'edit note'],
      [DRAFTED, 'desktop', 'edit note'],
      [90, 'laptop', 'settle conflict', 0, 2],
    ],
  },
  'a task is claimed, handed over and released': {
    mails: [[0, 'two-senders']],
    deeds: [
      [DRAFTED, 'laptop', 'claim'],
      [60, 'laptop', 'transfer', 0],
      [90, 'laptop', 'release', 0, 0],
      [91, 'desktop', 'release', 0, 0],
    ],
  },
  'a machine falls asleep while it sends': {
    mails: [QUESTION],
    deeds: [[DRAFTED, 'laptop', 'approve']],
    mishaps: [[DRAFTED + 1, 'laptop', 'sleep', 90 * MINUTE_MS]],
  },
  'the copy of the ledger comes back from a backup': {
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'approve'],
      [59, 'laptop', 'checkpoint'],
    ],
    mishaps: [[60, 'laptop', 'copy restored', MINUTE_MS]],
  },
  'the cloud forges while a person approves': {
    mails: [QUESTION],
    deeds: [[DRAFTED, 'laptop', 'approve']],
    attacks: [
      [DRAFTED - 1, 'forged approval'],
      [DRAFTED, 'copied approval'],
      [DRAFTED + 1, 'task into approved'],
    ],
  },
  'one machine clears up while the other sleeps over what it stored': {
    deeds: [
      [1, 'laptop', 'write note', 0, 5],
      // What is stored last tells how late it is.
      [30, 'desktop', 'write note', 0, 15],
      [90, 'laptop', 'write note', 0, 10],
      [90 + 25 * 60, 'desktop', 'write note', 0, 20],
    ],
    change: {
      lengthMs: 28 * 60 * MINUTE_MS,
      pollMs: 180 * MINUTE_MS,
      mishaps: [sleepOver(1, 60), sleepOver(90, 26 * 60)],
      collections: [31, 95 + 25 * 60].map((minute) => ({
        ...{ id: `gc-${minute}`, atMs: minute * MINUTE_MS, machine: 'desktop', by: 'desktop' },
      })),
    },
  },
};

/** The laptop falls asleep when it has stored contents, and has not named them yet. */
function sleepOver(minute: number, minutes: number): Mishap {
  return {
    ...{ id: `sleep-${minute}`, atMs: minute * MINUTE_MS, machine: 'laptop', what: 'sleep' },
    ...{ ms: minutes * MINUTE_MS, amid: 'blobs.put' },
  };
}

/** The scenarios of the sweep: a dozen and some. */
export const SCENARIOS: readonly Scenario[] = Object.entries(COURSES).map(([name, course], index) => ({
  name,
  plan: {
    ...QUIET,
    seed: 1 + index,
    lengthMs: 120 * MINUTE_MS,
    pollMs: 10 * MINUTE_MS,
    // Which call fails is the sweep's to say; this only tells the auditors that one may.
    faults: { refused: Number.MIN_VALUE },
    mails: (course.mails ?? []).map(([minute, kind], i): PlannedMail => ({
      id: `mail-${i + 1}`,
      atMs: minute * MINUTE_MS,
      kind,
      echoesMs: [],
      lateMs: 0,
    })),
    deeds: (course.deeds ?? []).map(([minute, machine, what, n = 0, m = 0], i): Deed => ({
      id: `deed-${i + 1}`,
      atMs: minute * MINUTE_MS,
      machine,
      what,
      n,
      m,
    })),
    mishaps: (course.mishaps ?? []).map(([minute, machine, what, ms], i) => ({
      id: `mishap-${i + 1}`,
      atMs: minute * MINUTE_MS,
      machine,
      what,
      ms,
    })),
    attacks: (course.attacks ?? []).map(([minute, what], i) => ({
      id: `attack-${i + 1}`,
      atMs: minute * MINUTE_MS,
      what,
      n: 0,
    })),
    ...course.change,
  },
}));
