import { EmployeeError } from '#protocol/errors.ts';

/** An error as a person and a program should see it. */
export interface ErrorText {
  readonly code: string;
  readonly message: string;
}

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
]);
const FILE_SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many open files',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'not a folder',
  EISDIR: 'a folder, not a file',
  ELOOP: 'too many links',
};
const CREDENTIALS = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
]);
const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedException']);

interface RawError {
  readonly name?: string;
  readonly code?: unknown;
  readonly message?: string;
  readonly address?: string;
  readonly port?: number;
  readonly path?: string;
  readonly hostname?: string;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

/**
 * Says what an error means and what to do, for errors of ours, of the network, of files and of AWS.
 * Whatever else there is counts as a defect of this program (`INTERNAL`). Never a stack trace.
 */
export function errorText(error: unknown): ErrorText {
  if (error instanceof EmployeeError) return { code: error.code, message: error.message };
  const raw = (typeof error === 'object' && error !== null ? error : {}) as RawError;
  const network = networkError(raw);
  if (network) {
    const where = network.address
      ? `${network.address}:${network.port ?? ''}`
      : (network.hostname ?? 'the service');
    return {
      code: 'UNREACHABLE',
      message: `no answer from ${where} (${String(network.code)}): is the local cloud running ("npm start"), or this machine online?`,
    };
  }
  if (CREDENTIALS.has(raw.name ?? '')) {
    return {
      code: 'CREDENTIALS',
      message: `AWS does not accept the credentials (${raw.name}): sign in again, or check "profile" in the config`,
    };
  }
  if (DENIED.has(raw.name ?? '')) return { code: 'DENIED', message: `AWS refused: ${oneLine(raw.message)}` };
  if (raw.name === 'ResourceNotFoundException' || raw.name === 'NoSuchBucket') {
    return {
      code: 'STACK_MISSING',
      message: `a part of the stack is not there (${oneLine(raw.message)}): run "employee init" with the stack's current outputs`,
    };
  }
  if (raw.name === 'TimeoutError' || raw.name === 'AbortError') {
    return { code: 'UNREACHABLE', message: 'the service did not answer in time: try again' };
  }
  const file = FILE_SYSTEM[String(raw.code)];
  if (file !== undefined && raw.path !== undefined)
    return { code: String(raw.code), message: `${raw.path}: ${file}` };
  if (file !== undefined) return { code: String(raw.code), message: `${file} (${oneLine(raw.message)})` };
  return {
    code: 'INTERNAL',
    message: `${oneLine(raw.message) || String(error)} (unexpected; EMPLOYEE_DEBUG=1 shows where)`,
  };
}

/** Node wraps what every address of a host answered into one error without words. */
function networkError(raw: RawError, depth = 0): RawError | undefined {
  if (NETWORK.has(String(raw.code)) && raw.path === undefined) {
    const inner = raw.errors?.[0] as RawError | undefined;
    return raw.address === undefined && inner ? inner : raw;
  }
  if (depth > 3 || typeof raw.cause !== 'object' || raw.cause === null) return undefined;
  return networkError(raw.cause, depth + 1);
}

function oneLine(message: string | undefined): string {
  return (message ?? '').split('\n')[0]?.trim() ?? '';
}
