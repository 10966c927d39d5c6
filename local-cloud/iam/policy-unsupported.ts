/** A policy says something that this evaluator does not know; guessing would either refuse or allow too much. */
export class PolicyUnsupported extends Error {
  static readonly code = 'POLICY_UNSUPPORTED';

  constructor(message: string) {
    super(message);
    this.name = 'PolicyUnsupported';
  }
}
