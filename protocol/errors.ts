/**
 * The base of every error that this project raises on purpose. `code` is stable and fit for machines;
 * the message says what happened and, after it, what to do.
 */
export class EmployeeError extends Error {
  static readonly code: string = 'EMPLOYEE_ERROR';

  /** The stable code of the class, also on instances that crossed a catch as plain `Error`. */
  get code(): string {
    return (this.constructor as typeof EmployeeError).code;
  }
}

/** The ledger, or our copy of it, is not what its chain and signatures say. `n` is the first bad entry. */
export class LedgerIntegrityError extends EmployeeError {
  static override readonly code = 'LEDGER_INTEGRITY';
  readonly n: number;

  constructor(n: number, message: string, options?: ErrorOptions) {
    super(`ledger entry ${n}: ${message}`, options);
    this.n = n;
  }
}

/** Others were first at each of many tries to append; nothing was written. */
export class LedgerBusyError extends EmployeeError {
  static override readonly code = 'LEDGER_BUSY';
}

/** A note cannot be read as what it claims to be. The message names the place. */
export class NoteFormatError extends EmployeeError {
  static override readonly code = 'NOTE_FORMAT';
}

/** A blob that an entry names is not in its store. */
export class BlobMissingError extends EmployeeError {
  static override readonly code = 'BLOB_MISSING';
}

/** A stored secret or sealed text cannot be opened with the keys at hand, or was altered. */
export class SealError extends EmployeeError {
  static override readonly code = 'SEAL';
}

/** The item of a task is not one that this program writes. The message says where, and how it is made again. */
export class TaskItemError extends EmployeeError {
  static override readonly code = 'TASK_ITEM';
}
