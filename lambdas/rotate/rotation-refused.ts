import { EmployeeError } from '#protocol/errors.ts';

/** A step of a rotation cannot be done; the secret and the ledger still work together. */
export class RotationRefusedError extends EmployeeError {
  static override readonly code = 'ROTATION_REFUSED';
}
