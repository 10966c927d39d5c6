import { zoneOf } from '#protocol/vault-state.ts';
import type { Zone } from '#protocol/task.ts';
import type { Agent } from './agent.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Vault keys that are older are due for a rotation. */
const OLD_DAYS = 365;

/** Which vault keys are in force, and who has them. */
export interface KeysStatus {
  readonly keyEpoch: number;
  /** The entry with which they came into force, and when. */
  readonly entry: number;
  readonly since: string;
  readonly ageDays: number;
  /** Whether it is time for new ones. */
  readonly isOld: boolean;
  /** Key epochs at hand here. */
  readonly atHand: readonly number[];
  /** The key epoch of a rotation that was begun here and is not complete. */
  readonly unfinished?: number;
  readonly writers: readonly {
    readonly writer: string;
    readonly zone: Zone;
    /** Its last entry sealed with the keys in force; `null` while it has written none. */
    readonly lastEntry: number | null;
  }[];
}

/** Reads from state and copy which vault keys are in force. A writer is known to have them once it wrote with them. */
export function keysStatus({ session, keys, copy, clock }: Agent): KeysStatus | undefined {
  const { state } = session;
  const { keys: inForce, epochStart } = state;
  if (!inForce || !epochStart) return undefined;
  const last = new Map<string, number>();
  for (const { n, writer, keyEpoch } of copy.entries(epochStart.n === 1 ? 0 : epochStart.n)) {
    if (keyEpoch === inForce.keyEpoch) last.set(writer, n);
  }
  const ageDays = Math.max(0, Math.floor((Date.parse(clock.now()) - Date.parse(epochStart.at)) / DAY_MS));
  return {
    keyEpoch: inForce.keyEpoch,
    entry: epochStart.n,
    since: epochStart.at,
    ageDays,
    isOld: ageDays > OLD_DAYS,
    atHand: keys.keyring.map(({ keyEpoch }) => keyEpoch).sort((a, b) => a - b),
    ...(keys.rotation ? { unfinished: keys.rotation.keyEpoch } : {}),
    writers: inForce.writers.map(({ writer }) => ({
      writer,
      zone: zoneOf(state, writer) ?? 'local',
      lastEntry: last.get(writer) ?? null,
    })),
  };
}
