import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Queue } from '#protocol/ports.ts';
import type { Harness, MakeAdapter } from './harness.ts';

/** The messages of this suite. */
export interface Note {
  readonly id: string;
  readonly text: string;
}

/** Takes what the queue holds by now off it. */
export interface QueueReader {
  drain(): Promise<Note[]>;
}

/** What every queue does. */
export function describeQueueContract(
  name: string,
  makeAdapter: MakeAdapter<Queue<Note>, QueueReader>,
): void {
  describe(`queue: ${name}`, () => {
    let harness: Harness<Queue<Note>, QueueReader>;
    beforeAll(async () => {
      harness = await makeAdapter();
    });
    afterAll(() => harness.close());

    async function sent(notes: readonly Note[]): Promise<Note[]> {
      await harness.adapter.send(notes);
      return (await harness.extra.drain()).sort((a, b) => Number(a.id) - Number(b.id));
    }

    it('sends nothing when there is nothing to send', async () => {
      expect(await sent([])).toEqual([]);
    });

    it('sends any words', async () => {
      const notes = [{ id: '1', text: 'Żółć 漢字 🦊 "quoted" \\ \n\t <b>&amp;</b>' }];
      expect(await sent(notes)).toEqual(notes);
    });

    it('sends more messages than fit into one call', async () => {
      const notes = Array.from({ length: 23 }, (_, index) => ({ id: String(index), text: `note ${index}` }));
      expect(await sent(notes)).toEqual(notes);
    });

    it('sends more bytes than fit into one call', async () => {
      const text = 'e'.repeat(100_000);
      const notes = Array.from({ length: 7 }, (_, index) => ({ id: String(index), text }));
      expect(await sent(notes)).toEqual(notes);
    });
  });
}
