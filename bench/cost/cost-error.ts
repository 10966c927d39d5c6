/** There is no report; the message says why, fit for the person who asked. */
export class CostError extends Error {
  static readonly code = 'COST';
}
