import { EmployeeError } from '#protocol/errors.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import { contentsOf } from '#protocol/ledger-contents.ts';
import type { BlobStore, Clock } from '#protocol/ports.ts';
import { stopwatch } from './stopwatch.ts';

/** Half of the least time for which `employee gc` leaves alone what no entry names. */
const MAX_AGE_MS = 12 * 60 * 60 * 1000;

/** Contents were stored so long before their entry that they may have been cleared up since. */
export class StaleContentsError extends EmployeeError {
  static override readonly code = 'STALE_CONTENTS';
}

/**
 * Remembers what this process stored and no entry names yet. A machine may sleep for days between the two,
 * while another one clears up: what was stored too long ago is not named, and is stored again by the next try.
 */
export class RecentPuts {
  readonly #clock: Clock;
  readonly #ages = new Map<string, () => number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same store, watched. */
  watch(blobs: BlobStore): BlobStore {
    return {
      get: (id, part) => blobs.get(id, part),
      put: async (id, sealed) => {
        const age = stopwatch(this.#clock);
        await blobs.put(id, sealed);
        this.#ages.set(id, age);
      },
    };
  }

  /** @throws {StaleContentsError} */
  requireFresh(body: LedgerBody): void {
    for (const id of objectsOf(body)) {
      if ((this.#ages.get(id)?.() ?? 0) < MAX_AGE_MS) continue;
      throw new StaleContentsError(
        'this machine stood still for hours between storing contents and writing them down; they are stored again with the next try',
      );
    }
  }

  /** An entry names them now: nobody clears them up. */
  forget(body: LedgerBody): void {
    for (const id of objectsOf(body)) this.#ages.delete(id);
  }
}

function objectsOf(body: LedgerBody): string[] {
  return contentsOf(body).flatMap((content) => ('blob' in content ? [content.pack?.id ?? content.blob] : []));
}
