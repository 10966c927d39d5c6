import type { Readable, Writable } from 'node:stream';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { JSONRPCMessageSchema, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { createLineReader } from './json-lines.ts';

/** Attachments of 40 MB in Base64, and everything around them. */
const MAX_MESSAGE_BYTES = 96 * 1024 * 1024;

/**
 * The server's end of a pair of pipes. The SDK's own joins its buffer anew for each chunk, which takes
 * minutes for a message with large attachments.
 */
export class StdioServerTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #input: Readable;
  readonly #output: Writable;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
  }

  async start(): Promise<void> {
    const read = createLineReader(MAX_MESSAGE_BYTES, (line) => this.#take(line));
    this.#input.on('data', (chunk: Buffer) => {
      if (!read(chunk)) void this.close();
    });
    // The host is gone, in whatever way it went.
    for (const event of ['end', 'error', 'close']) this.#input.once(event, () => void this.close());
    this.#output.once('error', () => void this.close());
  }

  send(message: JSONRPCMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#output.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    this.onclose?.();
  }

  #take(line: string): void {
    try {
      this.onmessage?.(JSONRPCMessageSchema.parse(JSON.parse(line)));
    } catch (error) {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
