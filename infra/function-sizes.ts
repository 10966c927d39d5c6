import { Duration } from 'aws-cdk-lib';
import type { Settings } from './config.ts';
import type { FunctionName } from './paths.ts';

/** Limits of one function; a queue in front of it takes its visibility timeout from them. */
export interface FunctionSize {
  readonly timeout: Duration;
  readonly memoryMb: number;
  /**
   * How many run at once: reserved for the function, and the most that its queue starts, if it has one. An account whose Lambda quota
   * is still 10 has to have it raised first, as it cannot reserve any.
   */
  readonly concurrency: number;
}

/** Sizes of all functions. Triage holds a raw mail of up to 40 MB and its parsed parts, one at a time. */
export const functionSizes: Record<FunctionName, Omit<FunctionSize, 'concurrency'>> = {
  triage: { timeout: Duration.seconds(60), memoryMb: 1536 },
  draft: { timeout: Duration.seconds(60), memoryMb: 1024 },
  rotate: { timeout: Duration.seconds(60), memoryMb: 1024 },
  archive: { timeout: Duration.seconds(60), memoryMb: 512 },
};

/** The limits of a function in a deployment. */
export function sizeOf(name: FunctionName, settings: Settings): FunctionSize {
  const concurrency: Record<FunctionName, number> = {
    triage: settings.triageConcurrency,
    draft: settings.draftConcurrency,
    // Two steps of one rotation at once would be in each other's way.
    rotate: 1,
    // A stream hands over one batch at a time.
    archive: 1,
  };
  return { ...functionSizes[name], concurrency: concurrency[name] };
}
