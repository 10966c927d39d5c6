/** A condition that failed, and how many attempts the SDK had made by then. */
export interface FailedCondition {
  readonly attempts: number;
}

/** Whether an error of the SDK says that a condition failed; `undefined` for any other error. */
export function failedCondition(error: unknown): FailedCondition | undefined {
  if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') return undefined;
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  const attempts =
    typeof metadata === 'object' && metadata !== null && 'attempts' in metadata
      ? metadata.attempts
      : undefined;
  // A count that is missing must not hide a lost reply: reading back is then the safe answer.
  return { attempts: typeof attempts === 'number' ? attempts : Number.POSITIVE_INFINITY };
}
