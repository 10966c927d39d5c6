import type { Queue } from '#protocol/ports.ts';

/** A queue in memory. */
export interface MemoryQueue<Message> extends Queue<Message> {
  /** All messages, in the order of sending. */
  readonly messages: Message[];
  /** One element a call of `send`. */
  readonly calls: (readonly Message[])[];
}

/** Makes an empty queue. */
export function createMemoryQueue<Message>(): MemoryQueue<Message> {
  const messages: Message[] = [];
  const calls: (readonly Message[])[] = [];
  return {
    messages,
    calls,
    send: async (sent) => {
      const copies = structuredClone([...sent]);
      calls.push(copies);
      messages.push(...copies);
    },
  };
}
