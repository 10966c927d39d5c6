import { Duration } from 'aws-cdk-lib';
import type { FunctionName } from './paths.ts';

/** Limits of one function; the queue in front of it takes its visibility timeout from them. */
export interface FunctionSize {
  readonly timeout: Duration;
  readonly memoryMb: number;
  /**
   * How many run at once. Two are the least that SQS polling allows; more would mostly race for the same next ledger
   * number. An account whose Lambda quota is still 10 has to have it raised first, as it cannot reserve any.
   */
  readonly concurrency: number;
}

/** Sizes of all functions. Triage holds a raw mail of up to 40 MB and its parsed parts, one at a time. */
export const functionSizes: Record<FunctionName, FunctionSize> = {
  triage: { timeout: Duration.seconds(60), memoryMb: 1536, concurrency: 2 },
  draft: { timeout: Duration.seconds(60), memoryMb: 1024, concurrency: 2 },
};
