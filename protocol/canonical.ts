import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { EmployeeError } from './errors.ts';

/** The value cannot be written as canonical JSON (a function, a cycle, a number that JSON has no word for). */
export class NotCanonicalError extends EmployeeError {
  static override readonly code = 'NOT_CANONICAL';
}

/**
 * Canonical JSON (RFC 8785): one and only one text for a value, so that a digest or a signature over
 * it means the value and not its spelling. Members that are `undefined` are left out, as in JSON.
 *
 * @throws {NotCanonicalError} when the value has no JSON form.
 * @example canonicalJson({ b: 1, a: [true] }) // '{"a":[true],"b":1}'
 */
export function canonicalJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(value);
  } catch (cause) {
    throw new NotCanonicalError('the value has no canonical JSON form', { cause });
  }
  if (text === undefined || holdsFunction(value))
    throw new NotCanonicalError('the value has no canonical JSON form');
  return text;
}

/** `canonicalize` writes the word `undefined` where a function stands. */
function holdsFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsFunction);
}

/** SHA-256 of bytes or of a UTF-8 text, as 64 lower-case hex digits. */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}
