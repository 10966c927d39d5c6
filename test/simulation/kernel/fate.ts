import type { SimProcess } from './process.ts';

/**
 * What can befall a call. `refused`: a throttle or 5xx, nothing happened. `lost-reply`: it happened, and the caller
 * hears of an error. `crash-before` and `crash-after`: the process dies with its request unsent, or with its effect made
 * and the reply unread. `disk-full`: the machine's own disk refuses a write.
 */
export type Fault = 'refused' | 'lost-reply' | 'crash-before' | 'crash-after' | 'disk-full';

/** Whom a call goes to: a service over the network, a tool, the disk, or the database, which answers at once. */
export type PortKind = 'service' | 'tool' | 'disk' | 'database';

/** A call of a port, before it is made. */
export interface Call {
  /** Counts the calls of all, from 1. */
  readonly index: number;
  /** Counts the calls of this actor (a program through all its restarts), from 1. */
  readonly n: number;
  /** Who calls what, about which task or file; `nth` counts the calls of this name, from 1. */
  readonly name: string;
  readonly nth: number;
  readonly process: SimProcess;
  readonly kind: PortKind;
  readonly port: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A call that has no number yet. */
export type MadeCall = Omit<Call, 'index' | 'n' | 'name' | 'nth'>;

/** What is decided about a call when it is made. */
export interface Fate {
  /** Until it takes effect, and from then until the caller hears of it. A database takes no time. */
  readonly requestMs: number;
  readonly replyMs: number;
  readonly fault?: Fault;
}

/** Decides. Depends on the call's name and number alone, never on what else happens in the world. */
export type FateOf = (call: Call) => Fate;

/** The faults that a kind of port knows: a tool's server never throws, and a disk answers or is full. */
export const FAULTS_OF: Readonly<Record<PortKind, readonly Fault[]>> = {
  service: ['refused', 'lost-reply', 'crash-before', 'crash-after'],
  tool: ['crash-before', 'crash-after'],
  disk: ['crash-before', 'crash-after', 'disk-full'],
  database: ['crash-before', 'crash-after', 'disk-full'],
};

/** Nothing goes wrong, and every call takes a few milliseconds. */
export const CALM: FateOf = ({ kind }) =>
  kind === 'service' ? { requestMs: 5, replyMs: 5 } : { requestMs: 0.1, replyMs: 0.1 };
