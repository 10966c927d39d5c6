import type { VaultState } from './vault-state.ts';

/**
 * To be raised whenever the rules of replay change in a way that makes another state of the same entries:
 * snapshots of before are then left aside, and everything is replayed.
 */
export const REPLAY_VERSION = 2;

/** A state as JSON: maps and sets as tagged lists, in their order. */
export function snapshotJson(state: VaultState): string {
  const members = Object.entries(state).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Map ? { map: [...value] } : value instanceof Set ? { set: [...value] } : value,
  ]);
  return JSON.stringify(Object.fromEntries(members));
}

/** The state again. Only for a text that is known to be of `snapshotJson`: nothing is checked. */
export function stateOfSnapshot(json: string): VaultState {
  const members = Object.entries(JSON.parse(json) as Record<string, unknown>).map(([name, value]) => {
    // A list has a `map` of its own.
    if (Array.isArray(value)) return [name, value as unknown];
    const { map, set } = (value ?? {}) as { map?: [unknown, unknown][]; set?: unknown[] };
    return [name, map ? new Map(map) : set ? new Set(set) : value];
  });
  return Object.fromEntries(members) as VaultState;
}
