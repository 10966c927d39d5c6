import { EmployeeError } from './errors.ts';

/** The raw mail is not in its bucket, yet or any more. */
export class MailMissingError extends EmployeeError {
  static override readonly code = 'MAIL_MISSING';
}

/** The bytes are no mail, or more of one than is read here. `reason` is fit for a note. */
export class UnreadableMailError extends EmployeeError {
  static override readonly code = 'MAIL_UNREADABLE';
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super(`the mail cannot be read: ${reason}`, options);
    this.reason = reason;
  }
}
