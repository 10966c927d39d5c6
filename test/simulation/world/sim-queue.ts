import type { Queue } from '#protocol/ports.ts';

/** As the stacks configure their queues: six times a function's timeout, and five tries. */
export const VISIBILITY_MS = 360_000;
export const MAX_RECEIVES = 5;

/** A message as a function gets it. */
export interface Received<Body> {
  readonly messageId: string;
  readonly body: Body;
  readonly receives: number;
}

interface Message<Body> {
  readonly messageId: string;
  readonly body: Body;
  receives: number;
  visibleAtMs: number;
}

/** A queue that delivers at least once, in any order, and gives up after five tries. */
export class SimQueue<Body> implements Queue<Body> {
  readonly name: string;
  readonly dead: Body[] = [];
  readonly #messages = new Map<string, Message<Body>>();
  readonly #nowMs: () => number;
  /** Told when there will be something to fetch. */
  onMessage: (atMs: number) => void = () => undefined;
  #count = 0;

  constructor(name: string, nowMs: () => number) {
    this.name = name;
    this.#nowMs = nowMs;
  }

  /** Messages that are not done with. */
  get size(): number {
    return this.#messages.size;
  }

  async send(bodies: readonly Body[]): Promise<void> {
    for (const body of bodies) this.put(structuredClone(body), 0);
    await Promise.resolve();
  }

  put(body: Body, delayMs: number): void {
    const messageId = `${this.name}-${++this.#count}`;
    const visibleAtMs = this.#nowMs() + delayMs;
    this.#messages.set(messageId, { messageId, body, receives: 0, visibleAtMs });
    this.onMessage(visibleAtMs);
  }

  /**
   * Hands out what is visible, up to `max`, and hides it for a while.
   *
   * @param order sorts what is visible: the queue keeps none.
   * @param hiddenMs for how long each is hidden; 0 delivers it twice at a time.
   */
  receive(
    max: number,
    order: (messageId: string) => number,
    hiddenMs: (messageId: string) => number,
  ): Received<Body>[] {
    const nowMs = this.#nowMs();
    const visible = [...this.#messages.values()].filter(({ visibleAtMs }) => visibleAtMs <= nowMs);
    const taken: Received<Body>[] = [];
    for (const message of visible.sort((a, b) => order(a.messageId) - order(b.messageId))) {
      if (message.receives >= MAX_RECEIVES) {
        this.dead.push(message.body);
        this.#messages.delete(message.messageId);
        continue;
      }
      if (taken.length === max) break;
      message.receives += 1;
      message.visibleAtMs = nowMs + hiddenMs(message.messageId);
      this.onMessage(message.visibleAtMs);
      taken.push({
        messageId: message.messageId,
        body: structuredClone(message.body),
        receives: message.receives,
      });
    }
    return taken;
  }

  remove(messageId: string): void {
    this.#messages.delete(messageId);
  }
}
