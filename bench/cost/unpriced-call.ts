import type { AttemptedCall } from '#local-cloud/call-log.ts';

/** A call of a kind that nobody has looked up the price of. */
export class UnpricedCallError extends Error {
  static readonly code = 'UNPRICED_CALL';

  constructor({ service, operation }: AttemptedCall) {
    super(`${service}:${operation} has no known price; say what it costs in bench/cost/`);
    this.name = 'UnpricedCallError';
  }
}
