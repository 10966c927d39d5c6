import { Duration } from 'aws-cdk-lib';
import type { Settings } from './config.ts';
import type { FunctionName } from './paths.ts';

/** Limits of one function; the queue in front of it takes its visibility timeout from them. */
export interface FunctionSize {
  readonly timeout: Duration;
  readonly memoryMb: number;
  /**
   * How many run at once: reserved for the function, and the most that its queue starts. An account whose Lambda quota
   * is still 10 has to have it raised first, as it cannot reserve any.
   */
  readonly concurrency: number;
}

/** Sizes of all functions. Triage holds a raw mail of up to 40 MB and its parsed parts, one at a time. */
export const functionSizes: Record<FunctionName, Omit<FunctionSize, 'concurrency'>> = {
  triage: { timeout: Duration.seconds(60), memoryMb: 1536 },
  draft: { timeout: Duration.seconds(60), memoryMb: 1024 },
};

/** The limits of a function in a deployment. */
export function sizeOf(name: FunctionName, settings: Settings): FunctionSize {
  const concurrency: Record<FunctionName, number> = {
    triage: settings.triageConcurrency,
    draft: settings.draftConcurrency,
  };
  return { ...functionSizes[name], concurrency: concurrency[name] };
}
