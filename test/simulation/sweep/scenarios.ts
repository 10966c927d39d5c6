import type {
  AttackKind,
  Deed,
  DeedKind,
  MailKind,
  MishapKind,
  Moment,
  Plan,
  PlannedMail,
  PlannedRotation,
} from '../plan.ts';
import { QUIET } from '../run-seed.ts';

const MINUTE_MS = 60_000;
/** By then a draft of the first mail waits on every machine. */
const DRAFTED = 30;
/** So soon after it was approved that nothing was done about it yet. */
const EDITED = DRAFTED + 0.01;

/** A short course of events in which every call is made to fail in turn. */
export interface Scenario {
  readonly name: string;
  readonly plan: Plan;
  /** The kinds of the ledger's entries where nothing fails: by them it shows that it happens what the name says. */
  readonly tells: string;
}

interface Course {
  readonly tells: string;
  /** Mails by the minute at which SES accepts them. */
  readonly mails?: readonly (readonly [number, MailKind])[];
  /** By minute and machine. `n` chooses the note that is meant; the mails' notes come first. */
  readonly deeds?: readonly (readonly [number, 'laptop' | 'desktop', DeedKind, number?, number?])[];
  /** By minute and machine, for so many milliseconds, and amid which call. */
  readonly mishaps?: readonly (readonly [
    number,
    'laptop' | 'desktop',
    MishapKind,
    number,
    Moment['amid']?,
  ])[];
  readonly attacks?: readonly (readonly [number, AttackKind])[];
  readonly change?: Partial<Plan>;
}

const QUESTION = [0, 'question'] as const;

const COURSES: Readonly<Record<string, Course>> = {
  'a mail is answered': {
    tells: 'keys task task approval intent result',
    mails: [QUESTION],
    deeds: [[DRAFTED, 'laptop', 'approve']],
  },
  'a note is dragged into Approved': {
    tells: 'keys task task approval intent result',
    mails: [QUESTION],
    deeds: [[DRAFTED, 'laptop', 'approve by move']],
  },
  'a draft is edited and approved elsewhere': {
    tells: 'keys task task task approval intent result',
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'edit draft', 0, 1],
      [60, 'desktop', 'approve'],
    ],
  },
  'a note is edited after it was approved': {
    tells: 'keys task task approval task approval intent result',
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'approve'],
      [EDITED, 'laptop', 'edit approved', 0, 1],
      [90, 'laptop', 'approve'],
    ],
  },
  'both machines approve at once': {
    tells: 'keys task task approval intent result',
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'approve'],
      [DRAFTED, 'desktop', 'approve'],
    ],
  },
  'one task is rejected and one by hand': {
    tells: 'keys task task task task task',
    mails: [QUESTION, [1, 'long']],
    deeds: [
      [DRAFTED, 'laptop', 'reject'],
      [60, 'desktop', 'reject by move'],
    ],
  },
  'mails that nobody answers': {
    tells: 'keys task',
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
    tells: 'keys task task task task approval intent result',
    mails: [QUESTION, [1, 'question']],
    deeds: [[60, 'laptop', 'approve']],
    change: { duplicates: 0.5 },
  },
  'notes are written, edited, moved and removed': {
    tells: 'keys files files files files',
    deeds: [
      [1, 'laptop', 'write note', 0, 5],
      [DRAFTED, 'desktop', 'edit note'],
      [60, 'laptop', 'move note', 0, 1],
      [90, 'desktop', 'remove note'],
      [91, 'desktop', 'write secret'],
    ],
  },
  'one note is edited on both machines': {
    tells: 'keys files files conflict override',
    deeds: [
      [1, 'laptop', 'write note', 0, 3],
      [DRAFTED, 'laptop', 'edit note'],
      [DRAFTED, 'desktop', 'edit note'],
      [90, 'laptop', 'settle conflict', 0, 2],
    ],
  },
  'a task is claimed, handed over and released': {
    tells: 'keys task claim claim claim',
    // Which no model answers: it waits for a person.
    mails: [[0, 'bounce']],
    deeds: [
      [DRAFTED, 'laptop', 'claim'],
      [60, 'laptop', 'transfer', 1],
      [90, 'laptop', 'release', 0, 0],
      [91, 'desktop', 'release', 0, 0],
    ],
  },
  'a task is taken over by hand from a machine that is gone': {
    tells: 'keys task claim claim',
    mails: [[0, 'bounce']],
    deeds: [
      [DRAFTED, 'desktop', 'claim'],
      [40, 'laptop', 'take over'],
      // It comes back, and believes to hold it.
      [101, 'desktop', 'release', 0, 0],
    ],
    mishaps: [[31, 'desktop', 'sleep', 70 * MINUTE_MS]],
  },
  'a task is claimed on a machine that is cut off': {
    tells: 'keys task claim claim claim',
    mails: [[0, 'bounce']],
    deeds: [
      [DRAFTED, 'laptop', 'claim'],
      [45, 'laptop', 'release', 0, 0],
      [70, 'laptop', 'claim'],
    ],
    mishaps: [[60, 'laptop', 'cut off', 30 * MINUTE_MS]],
    // Where another machine could claim it, too, it has to wait.
    change: { machines: ['laptop'] },
  },
  'a machine is cut off while it sends': {
    tells: 'keys task task approval intent claim result',
    mails: [QUESTION],
    deeds: [[DRAFTED, 'laptop', 'approve']],
    mishaps: [[DRAFTED, 'laptop', 'cut off', 90 * MINUTE_MS, 'ses.send']],
  },
  'a machine falls asleep while it sends': {
    tells: 'keys task task approval intent claim result task',
    mails: [QUESTION],
    deeds: [[DRAFTED, 'laptop', 'approve']],
    mishaps: [[DRAFTED, 'laptop', 'sleep', 90 * MINUTE_MS, 'ses.send']],
  },
  'the copy of the ledger comes back from a backup': {
    tells: 'keys task task approval intent result checkpoint files override',
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'approve'],
      [59, 'laptop', 'checkpoint'],
    ],
    mishaps: [[60, 'laptop', 'copy restored', MINUTE_MS]],
  },
  'the cloud forges while a person approves': {
    tells: 'keys task task approval task approval approval intent result',
    mails: [QUESTION],
    deeds: [[DRAFTED, 'laptop', 'approve']],
    attacks: [
      [DRAFTED - 2, 'forged approval'],
      [DRAFTED - 1, 'task into approved'],
      [DRAFTED, 'copied approval'],
    ],
  },
  'the cloud gives a voided approval again': {
    tells: 'keys task task approval task approval approval intent result',
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'approve'],
      [EDITED, 'laptop', 'edit approved', 0, 1],
      [90, 'desktop', 'approve'],
    ],
    attacks: [
      [60, 'copied approval'],
      [100, 'copied approval'],
    ],
  },
  'one machine clears up while the other sleeps over what it stored': {
    tells: 'keys files files files files',
    deeds: [
      [1, 'laptop', 'write note', 0, 5],
      // What is stored last tells how late it is.
      [30, 'desktop', 'write note', 0, 15],
      [90, 'laptop', 'write note', 0, 10],
      [90 + 25 * 60, 'desktop', 'write note', 0, 20],
    ],
    // Between storing contents and naming them.
    mishaps: [
      [1, 'laptop', 'sleep', 60 * MINUTE_MS, 'blobs.put'],
      [90, 'laptop', 'sleep', 26 * 60 * MINUTE_MS, 'blobs.put'],
    ],
    change: {
      lengthMs: 28 * 60 * MINUTE_MS,
      pollMs: 180 * MINUTE_MS,
      collections: [31, 95 + 25 * 60].map((minute) => ({
        ...{ id: `gc-${minute}`, atMs: minute * MINUTE_MS, machine: 'desktop', by: 'desktop' },
      })),
    },
  },
  'the ledger is cut between approval and execution, and whole again': {
    tells: 'keys task task approval intent result',
    mails: [QUESTION],
    deeds: [[DRAFTED, 'laptop', 'approve']],
    change: {
      cuts: [
        {
          ...{ id: 'cut-1', atMs: DRAFTED * MINUTE_MS, machine: 'laptop', amid: 'tasks.claim' },
          ...{ entries: 1, wholeAfterMs: 20 * MINUTE_MS },
        },
      ],
    },
  },
  'keys are renewed': {
    tells: 'keys task task files keys checkpoint task task approval intent result',
    mails: [QUESTION, [DRAFTED, 'question']],
    deeds: [
      [1, 'laptop', 'write note', 0, 5],
      [60, 'desktop', 'approve'],
    ],
    change: { rotations: [rotationAt(DRAFTED, false)] },
  },
  'keys are renewed after a compromise': {
    tells: 'keys task task files approval keys checkpoint keys reseal task task files approval intent result',
    mails: [QUESTION, [DRAFTED, 'question']],
    deeds: [
      [1, 'desktop', 'write note', 0, 5],
      [DRAFTED, 'laptop', 'approve'],
      [DRAFTED + 1, 'laptop', 'write note', 0, 10],
      [90, 'desktop', 'approve'],
    ],
    change: { rotations: [rotationAt(DRAFTED, true)] },
  },
  'the ledger loses what a command wrote while the daemon rests': {
    tells: 'keys task',
    mails: [[0, 'bounce']],
    deeds: [[DRAFTED, 'laptop', 'reject']],
    change: { cuts: [{ id: 'cut-1', atMs: EDITED * MINUTE_MS, machine: 'laptop', entries: 1 }] },
  },
  'all but the archive comes back from before an execution': {
    tells: 'keys task task approval files task approval intent result',
    mails: [QUESTION],
    // After the second backup, which is made after two hours.
    deeds: [
      [130, 'laptop', 'approve'],
      [200, 'laptop', 'approve again'],
    ],
    mishaps: [
      [160, 'laptop', 'copy restored', 0],
      [160, 'laptop', 'items restored', 0],
    ],
    change: {
      lengthMs: 240 * MINUTE_MS,
      cuts: [{ id: 'cut-1', atMs: 160 * MINUTE_MS, machine: 'laptop', entries: 2 }],
    },
  },
  'the ledger is cut right before a command appends, and the machine starts again': {
    tells: 'keys task task',
    mails: [QUESTION],
    deeds: [
      [DRAFTED, 'laptop', 'edit draft', 0, 1],
      [DRAFTED + 2, 'laptop', 'approve'],
    ],
    mishaps: [[DRAFTED + 1, 'laptop', 'power cut', 0]],
    change: {
      cuts: [
        {
          ...{ id: 'cut-1', atMs: DRAFTED * MINUTE_MS, machine: 'laptop', amid: 'ledger.append' },
          entries: 1,
        },
      ],
    },
  },
};

/** New keys, while a mail comes in; after a compromise they are carried over half an hour later. */
function rotationAt(minute: number, compromised: boolean): PlannedRotation {
  return {
    ...{ id: 'rotation-1', atMs: minute * MINUTE_MS, machine: 'laptop', compromised, grows: false },
    handOverMs: 30 * MINUTE_MS,
  };
}

/** The scenarios of the sweep; a new one goes to the end, since its place is its seed. */
export const SCENARIOS: readonly Scenario[] = Object.entries(COURSES).map(([name, course], index) => ({
  name,
  tells: course.tells,
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
    mishaps: (course.mishaps ?? []).map(([minute, machine, what, ms, amid], i) => ({
      id: `mishap-${i + 1}`,
      atMs: minute * MINUTE_MS,
      machine,
      what,
      ms,
      ...(amid ? { amid } : {}),
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
