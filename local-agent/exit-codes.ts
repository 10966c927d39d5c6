import { EmployeeError } from '#protocol/errors.ts';

/** What the exit status of `employee` says. */
export const ExitCode = {
  done: 0,
  /** It failed, or it found problems. */
  failed: 1,
  /** The command line, the config or the task named is wrong: nothing was done. */
  usage: 2,
  /** A person has to look, decide or approve before this can go on. */
  person: 3,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What was asked for cannot be done as it was asked. The message says how to ask. */
export class UsageError extends EmployeeError {
  static override readonly code = 'USAGE';
}

/** Nothing is broken, but a person has to say something first. The message says what. */
export class PersonNeededError extends EmployeeError {
  static override readonly code = 'PERSON_NEEDED';
}

/** By the stable codes of errors; all others mean `failed`. */
const BY_CODE: Readonly<Record<string, ExitCode>> = {
  USAGE: ExitCode.usage,
  CONFIG: ExitCode.usage,
  KEYS: ExitCode.usage,
  STACK_FILE: ExitCode.usage,
  STACK_MISSING: ExitCode.usage,
  NOT_A_VAULT: ExitCode.usage,
  VAULT_MISSING: ExitCode.usage,
  INIT_REFUSED: ExitCode.usage,
  TASK_NOT_FOUND: ExitCode.usage,
  TASK_AMBIGUOUS: ExitCode.usage,
  CONFLICT_NOT_FOUND: ExitCode.usage,
  PERSON_NEEDED: ExitCode.person,
  NEEDS_PERSON: ExitCode.person,
  KEYS_MISSING: ExitCode.person,
  // A note or Policy.yaml that only its author can mend.
  NOTE_FORMAT: ExitCode.person,
};

/** The exit status for an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof EmployeeError ? (BY_CODE[error.code] ?? ExitCode.failed) : ExitCode.failed;
}
