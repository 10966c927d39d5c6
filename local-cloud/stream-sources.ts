import { failuresIn } from './batch-answer.ts';
import type { TableChange } from './emulators/table-changes.ts';
import type { LocalFunction } from './functions.ts';
import type { PlannedStreamSource } from './plan.ts';

/** @see StreamSource */
export interface StreamSourceOptions {
  mapping: PlannedStreamSource;
  /** Names of the table's key attributes. */
  keys: readonly string[];
  region: string;
  target: LocalFunction;
  log: (line: string) => void;
}

interface StreamRecord {
  eventID: string;
  eventName: TableChange['eventName'];
  dynamodb: { SequenceNumber: string; Keys: object; NewImage: object };
}

const RETRY_MS = 200;

/**
 * Feeds a function from the stream of a table as Lambda does: in the order of the changes, one batch at a time, and
 * again from the first change that failed until none fails. What was not handed over when the process ends is lost here;
 * in AWS a stream keeps it for a day.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
 */
export class StreamSource {
  readonly #options: StreamSourceOptions;
  readonly #waiting: StreamRecord[] = [];
  #sequence = 0;
  #stopped = false;
  #work: Promise<void> | undefined;

  constructor(options: StreamSourceOptions) {
    this.#options = options;
  }

  /** Changes that the function has not taken yet. */
  get running(): number {
    return this.#waiting.length;
  }

  /** Takes a change of the table. */
  take({ eventName, image }: TableChange): void {
    if (this.#stopped) return;
    this.#sequence += 1;
    const SequenceNumber = String(this.#sequence).padStart(21, '0');
    const Keys = Object.fromEntries(this.#options.keys.map((key) => [key, image[key]]));
    this.#waiting.push({
      eventID: SequenceNumber,
      eventName,
      dynamodb: { SequenceNumber, Keys, NewImage: image },
    });
    this.#work ??= this.#deliver().finally(() => {
      this.#work = undefined;
    });
  }

  /** Takes nothing more, and leaves what fails from now on. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when the batch under way is done, and all others if they do not fail. */
  async drained(): Promise<void> {
    await this.#work;
  }

  async #deliver(): Promise<void> {
    const { mapping, log } = this.#options;
    // Changes of one moment go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, mapping.batchSize);
      try {
        this.#waiting.splice(0, await this.#hand(batch));
        continue;
      } catch (error) {
        log(`a batch of the stream failed: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (this.#stopped) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** @returns how many from the first on were done. */
  async #hand(batch: readonly StreamRecord[]): Promise<number> {
    const { mapping, region, target } = this.#options;
    const Records = batch.map((record) => ({
      ...record,
      eventSource: 'aws:dynamodb',
      eventSourceARN: mapping.streamArn,
      awsRegion: region,
    }));
    const sequences = batch.map(({ dynamodb }) => dynamodb.SequenceNumber);
    const failed = failuresIn(await target.invoke({ Records }), new Set(sequences), mapping.reportsFailures);
    const firstFailed = sequences.findIndex((sequence) => failed.has(sequence));
    if (firstFailed === 0) throw new Error('the function reports its first change as failed');
    return firstFailed < 0 ? batch.length : firstFailed;
  }
}
