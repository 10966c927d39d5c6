import type { Watcher } from '../kernel/kernel.ts';
import type { World } from '../world/world.ts';

/** A promise of the design was broken. */
export class InvariantError extends Error {
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.name = 'InvariantError';
    this.invariant = invariant;
  }
}

/** Looks at a world and throws an `InvariantError` where a promise is broken. */
export interface Auditor extends Watcher {
  /** Asked once, when nothing moves any more. */
  atEnd?(): void | Promise<void>;
}

export type MakeAuditor = (world: World) => Auditor;

/** @throws {InvariantError} */
export function requireThat(holds: boolean, invariant: string, message: () => string): void {
  if (!holds) throw new InvariantError(invariant, message());
}
