import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';

/** What is in the way of every file: nothing more is tried. */
const OF_ALL: ReadonlySet<string> = new Set([
  'DISK_FULL',
  'DISK_FAILURE',
  'READ_ONLY',
  'VAULT_MISSING',
  'TOO_MANY_FILES',
]);

/** Whether an error is about the one path that was in hand, and must not keep the others. */
export function isOfOnePath(error: unknown): error is EmployeeError {
  return (
    error instanceof EmployeeError && !(error instanceof LedgerIntegrityError) && !OF_ALL.has(error.code)
  );
}
