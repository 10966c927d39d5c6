import { EmployeeError } from '#protocol/errors.ts';

/** A path leads out of the vault, through a link, or is no path a vault may have. */
export class UnsafePathError extends EmployeeError {
  static override readonly code = 'UNSAFE_PATH';
}

/** The vault folder is not there, or is no folder. */
export class VaultMissingError extends EmployeeError {
  static override readonly code = 'VAULT_MISSING';
}

interface Reason {
  readonly code: string;
  readonly words: string;
  readonly advice: string;
}

const NO_RIGHTS: Reason = {
  code: 'NO_ACCESS',
  words: 'permission denied',
  advice: 'give your user the right to read and write it and its folder',
};
const FULL: Reason = { code: 'DISK_FULL', words: 'the disk is full', advice: 'make room on it' };
const BROKEN: Reason = {
  code: 'DISK_FAILURE',
  words: 'the disk reports an error',
  advice: 'check the disk and its cable, and have a backup at hand',
};
const TOO_MANY: Reason = {
  code: 'TOO_MANY_FILES',
  words: 'too many files are open',
  advice: 'close other programs, or raise the limit of open files',
};

const REASONS: Readonly<Record<string, Reason>> = {
  EACCES: NO_RIGHTS,
  EPERM: { ...NO_RIGHTS, words: 'not permitted' },
  EROFS: { code: 'READ_ONLY', words: 'the disk is read-only', advice: 'mount it for writing' },
  ENOSPC: FULL,
  EDQUOT: { ...FULL, words: 'the disk quota is used up' },
  EFBIG: { ...FULL, words: 'the file is too large for this disk' },
  ENAMETOOLONG: {
    code: 'NAME_TOO_LONG',
    words: 'the name is too long for this disk',
    advice: 'give it a shorter name on the machine it comes from',
  },
  EIO: BROKEN,
  ENXIO: BROKEN,
  ESTALE: { ...BROKEN, words: 'the network disk went away', advice: 'connect it again' },
  EBUSY: { code: 'FILE_BUSY', words: 'another program holds it', advice: 'close it there' },
  ETXTBSY: { code: 'FILE_BUSY', words: 'another program runs it', advice: 'end that program' },
  EMFILE: TOO_MANY,
  ENFILE: TOO_MANY,
};

/** The disk refused. What stood at the path still stands there; the next sync tries again. */
export class DiskError extends EmployeeError {
  static override readonly code: string = 'DISK';
  readonly #reason: Reason;

  constructor(path: string, action: string, reason: Reason, cause: unknown) {
    super(`${path} could not be ${action}: ${reason.words}; ${reason.advice}, then sync again`, { cause });
    this.#reason = reason;
  }

  /** `NO_ACCESS`, `READ_ONLY`, `DISK_FULL`, `NAME_TOO_LONG`, `DISK_FAILURE`, `FILE_BUSY` or `TOO_MANY_FILES`. */
  override get code(): string {
    return this.#reason.code;
  }

  /** What the disk said, in a few words. */
  get words(): string {
    return this.#reason.words;
  }
}

/** An error of the operating system as one for the person; any other error as it is. */
export function diskError(path: string, action: string, error: unknown): unknown {
  const reason = REASONS[codeOf(error) ?? ''];
  return reason ? new DiskError(path, action, reason, error) : error;
}

/** The system's code of an error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && !(error instanceof EmployeeError)
    ? String(error.code)
    : undefined;
}
