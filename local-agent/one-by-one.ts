import { LedgerIntegrityError } from '#protocol/errors.ts';

/**
 * Runs the work on one of several tasks: what goes wrong with it is kept for later, so that the others are
 * dealt with first.
 *
 * @throws {LedgerIntegrityError} at once: a ledger that is wrong stops everything.
 */
export async function oneByOne(failures: unknown[], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof LedgerIntegrityError) throw error;
    failures.push(error);
  }
}
