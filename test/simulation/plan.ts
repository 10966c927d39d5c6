import type { Fault } from './kernel/fate.ts';

/** What a mail is about; decides its text, its verdicts and where it has to end. */
export const MAIL_KINDS = [
  'question',
  'long',
  'injection',
  'newsletter',
  'bounce',
  'two-senders',
  'virus',
  'unreadable',
] as const;
export type MailKind = (typeof MAIL_KINDS)[number];

/** A mail that SES accepts. */
export interface PlannedMail {
  /** Names it in the plan, in traces, and to SES. */
  readonly id: string;
  readonly atMs: number;
  readonly kind: MailKind;
  /** Each is an event of its own in the queue, that much later. The first one is there in any case. */
  readonly echoesMs: readonly number[];
  /** How much later than its event the object can be read. */
  readonly lateMs: number;
}

/** What a person can do at a machine. */
export const DEEDS = [
  'approve',
  'approve twice',
  'approve by move',
  'copy into Approved',
  'approve again',
  'edit draft',
  'edit approved',
  'reject',
  'reject by move',
  'drag',
  'rename',
  'copy',
  'remove',
  'ruin',
  'write note',
  'edit note',
  'move note',
  'remove note',
  'write secret',
  'claim',
  'release',
  'transfer',
  'settle conflict',
  'checkpoint',
] as const;
/** What only plans with a machine that is cut off have. */
export type DeedKind = (typeof DEEDS)[number] | 'take over';

/** Calls of a machine amid which something happens at times: between two of them, much may go wrong. */
export const AMID = [
  'files.read',
  'files.stat',
  'files.write',
  'files.move',
  'ledger.read',
  'ledger.append',
  'tasks.claim',
  'tools.prepare',
  'tools.call',
  'ses.send',
] as const;

/** The same where contents are stored, named and cleared up; only plans with a collection draw from these. */
export const AMID_CLEARING = ['blobs.put', 'ledger.append', 'inventory.page', 'inventory.remove'] as const;

/** The same of a machine whose keys are renewed, and of a function meanwhile; only plans with a rotation draw from these. */
export const AMID_ROTATING = [
  'secret.read',
  'secret.write',
  'ledger.read',
  'ledger.append',
  'blobs.put',
  'tasks.claim',
  'tools.call',
] as const;

/** The same where something was carried out and is about to be put down; only plans in which all is put back use it. */
export const DONE = 'tasks.release';

/** When something happens: at a time, or right before the first such call of its machine after it. */
export interface Moment {
  readonly id: string;
  readonly atMs: number;
  readonly machine: string;
  readonly amid?:
    (typeof AMID)[number] | (typeof AMID_CLEARING)[number] | (typeof AMID_ROTATING)[number] | typeof DONE;
}

/** Something a person does. `n` and `m` choose among what is there at that time. */
export interface Deed extends Moment {
  readonly what: DeedKind;
  readonly n: number;
  readonly m: number;
}

/** What can befall a whole machine, or the table of the tasks' items. */
export const MISHAPS = [
  'sleep',
  'sleep with its clock',
  'clock jump',
  'power cut',
  'disk full',
  'vault unmounted',
  'copy restored',
  'vault restored',
  'items restored',
] as const;
/** No service can be reached from a machine; only plans that are about it have that. */
export type MishapKind = (typeof MISHAPS)[number] | 'cut off';

export interface Mishap extends Moment {
  readonly what: MishapKind;
  /** How long it lasts, or how far a clock jumps. */
  readonly ms: number;
}

/** A run of `employee gc --older-than 1d --yes`. */
export interface Collection extends Moment {
  /** The machine at which it runs; that of the moment is the one amid whose call it may begin. */
  readonly by: string;
}

/**
 * The ledger's table is put back to an earlier state: its last entries are gone. Perhaps the newer backup is found, and
 * the table is whole again.
 */
export interface Cut extends Moment {
  /** So many entries are gone; the first one, with the keys, always stays. */
  readonly entries: number;
  /** After so long the table is put back as it stood before; absent: never. */
  readonly wholeAfterMs?: number;
}

/** A run of `employee keys rotate --yes` at the machine that began the vault; that of the moment as of `Collection`. */
export interface PlannedRotation extends Moment {
  /** Others may have the keys: the new ones are carried to the other machines by hand. */
  readonly compromised: boolean;
  /** An ordinary one that stops is gone on with as one after a compromise. */
  readonly grows: boolean;
  /** So long after it is complete the keys are carried over. */
  readonly handOverMs: number;
}

/** What a writer with all keys of the cloud, and the rights of its role, can try. */
export const ATTACKS = [
  'forged approval',
  'copied approval',
  'forged intent',
  'file into Approved',
  'task into approved',
  'stale epoch',
  'far epoch',
  'foreign draft',
  'private file',
  'altered item',
  'foreign holder',
  'wrong contents',
  'overwritten blob',
  'broken entry',
] as const;

/**
 * What whoever took the machines' and the cloud's keys before a compromise was dealt with can try with them, and the
 * cloud about the keys in force; only plans with a rotation draw from these.
 */
export const KEY_ATTACKS = [
  'old keys: file',
  'old keys: approval',
  'old keys: epoch',
  'old keys: cloud',
  'epoch by the cloud',
] as const;
export type AttackKind = (typeof ATTACKS)[number] | (typeof KEY_ATTACKS)[number];

export interface Attack {
  readonly id: string;
  readonly atMs: number;
  readonly what: AttackKind;
  readonly n: number;
}

/** Everything that is to happen in one world, before it begins. What is left out changes nothing of the rest. */
export interface Plan {
  readonly seed: number;
  /** How long things are planned for; then the world is run until it rests. */
  readonly lengthMs: number;
  readonly machines: readonly string[];
  /** Between two passes of a daemon, on average. */
  readonly pollMs: number;
  /** How likely each fault is at a call that can have it. */
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
  /** How likely a reply takes seconds to minutes. */
  readonly slow: number;
  /** How likely a queue delivers twice. */
  readonly duplicates: number;
  /** The model writes what the mail tells it to. */
  readonly obedientModel: boolean;
  /** How often the mail server says something else than what happened. */
  readonly lies: number;
  readonly mails: readonly PlannedMail[];
  readonly deeds: readonly Deed[];
  readonly mishaps: readonly Mishap[];
  readonly attacks: readonly Attack[];
  readonly collections: readonly Collection[];
  readonly cuts: readonly Cut[];
  readonly rotations: readonly PlannedRotation[];
  /** Faults of calls that do not happen, by their names in the trace; or the only ones that do. */
  readonly without?: ReadonlySet<string>;
  readonly only?: ReadonlySet<string>;
}
