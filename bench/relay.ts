import { Agent, createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** An HTTP relay before a service: counts what goes over its sockets and may hold each call back. */
export interface Relay {
  readonly endpoint: string;
  /** Added to each call before it is passed on, as a round trip would. @default 0 */
  delayMs: number;
  /** Bytes in both directions since the start, headers and all. */
  bytes(): number;
  close(): Promise<void>;
}

/** Starts a relay to `target` on a free port of loopback. */
export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const sockets = new Set<Socket>();
  let ofClosed = 0;
  let delayMs = 0;
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    void delay(delayMs).then(() => {
      const onward = request({ hostname, port, agent, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.once('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      ofClosed += socket.bytesRead + socket.bytesWritten;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    get delayMs() {
      return delayMs;
    },
    set delayMs(ms) {
      delayMs = ms;
    },
    bytes: () =>
      [...sockets].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, ofClosed),
    close: async () => {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
