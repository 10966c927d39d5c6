import { EmployeeError } from '#protocol/errors.ts';
import type { ToolOutcome } from '../tool-host.ts';
import { visibleLine } from '../visible.ts';

/** Sending was given up before any request was made. */
export class NotSentError extends EmployeeError {
  static override readonly code = 'NOT_SENT';
}

/** SES refused before it took the mail: codes of `SendRawEmail` and those common to all AWS APIs. */
const REFUSALS = new Set([
  'AccessDenied',
  'AccountSendingPaused',
  'AuthFailure',
  'ConfigurationSetDoesNotExist',
  'ConfigurationSetSendingPaused',
  'ExpiredToken',
  'IncompleteSignature',
  'InvalidAction',
  'InvalidClientTokenId',
  'InvalidParameterCombination',
  'InvalidParameterValue',
  'InvalidQueryParameter',
  'InvalidSignature',
  'LimitExceeded',
  'MailFromDomainNotVerified',
  'MalformedQueryString',
  'MessageRejected',
  'MissingAction',
  'MissingAuthenticationToken',
  'MissingParameter',
  'NotAuthorized',
  'OptInRequired',
  'RequestEntityTooLarge',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'Throttling',
  'TooManyRequests',
  'UnknownOperation',
  'UnrecognizedClient',
  'ValidationError',
]);

/** TLS never came about (a captive portal, a wrong clock), so no request left. */
const NO_TLS =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?)$/;

interface RawError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly errors?: readonly unknown[];
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/**
 * Whether a mail may have gone out although sending it threw. `failed` only where it certainly did not: SES
 * answered with a refusal, no connection came about, or it was given up before. All else, such as a time-out, a
 * reset or a 5xx, is `indeterminate`.
 *
 * @see https://docs.aws.amazon.com/ses/latest/APIReference/API_SendRawEmail.html#API_SendRawEmail_Errors
 */
export function sendFailure(error: unknown): ToolOutcome {
  if (error instanceof NotSentError) return { status: 'failed', detail: `not sent: ${error.message}` };
  const raw = (typeof error === 'object' && error !== null ? error : {}) as RawError;
  const words = visibleLine(raw.message || String(raw.code ?? raw.name ?? error), 300);
  const status = raw.$metadata?.httpStatusCode;
  const code = (raw.name ?? '').replace(/Exception$/, '');
  if (status !== undefined && status >= 400 && status < 500 && REFUSALS.has(code)) {
    return { status: 'failed', detail: `SES refused the mail (${code}): ${words}` };
  }
  if (neverConnected(raw)) return { status: 'failed', detail: `SES could not be reached: ${words}` };
  const answer = status === undefined ? 'no answer' : `HTTP ${status}`;
  return { status: 'indeterminate', detail: `SES may have taken the mail (${answer}): ${words}` };
}

function neverConnected(raw: RawError): boolean {
  if (raw.$metadata?.httpStatusCode !== undefined) return false;
  // One error per address of the host.
  if (Array.isArray(raw.errors) && raw.errors.length > 0) {
    return raw.errors.every((inner) => neverConnected(inner as RawError));
  }
  if (raw.syscall === 'connect' || raw.syscall === 'getaddrinfo') return true;
  // The SDK's own limit on connecting has no code, only these words.
  if (raw.name === 'TimeoutError' && /did not establish a connection/.test(raw.message ?? '')) return true;
  return NO_TLS.test(String(raw.code));
}
