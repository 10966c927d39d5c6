import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { EmployeeError } from '#protocol/errors.ts';
import { deskPage } from './page.ts';
import type { DeskState } from './page.ts';
import { STYLE } from './style.ts';

const LOOPBACK = '127.0.0.1';
const HEADERS = {
  'cache-control': 'no-store',
  // No script of anybody, nothing from elsewhere, no frame around the page.
  'content-security-policy':
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** The desk's port is taken. */
export class DeskPortError extends EmployeeError {
  static override readonly code = 'PORT_IN_USE';
}

/** A desk that answers. */
export interface Desk {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts the desk on loopback: one page that shows what waits, read from `state` at each request.
 *
 * @param options.port 0 for any free one.
 * @throws {DeskPortError}
 */
export async function startDesk(options: {
  readonly port: number;
  readonly state: () => DeskState;
}): Promise<Desk> {
  const app = new Hono();
  let hosts: ReadonlySet<string> = new Set();
  app.use(async (context, next) => {
    // Another site may point a name of its own at 127.0.0.1 and then read us as its own page.
    if (!hosts.has(context.req.header('host') ?? ''))
      return context.text('This is not the host you asked for.\n', 421, HEADERS);
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') {
      return context.text('This page only shows. Approve by command, or by moving the note.\n', 405, {
        ...HEADERS,
        allow: 'GET, HEAD',
      });
    }
    await next();
    return undefined;
  });
  app.get('/', (context) => context.html(deskPage(options.state()), 200, HEADERS));
  app.get('/style.css', (context) =>
    context.body(STYLE, 200, { ...HEADERS, 'content-type': 'text/css; charset=utf-8' }),
  );
  app.notFound((context) => context.text('There is nothing here.\n', 404, HEADERS));
  app.onError((_error, context) => context.text('The page could not be made.\n', 500, HEADERS));

  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  const port = await listen(server, options.port);
  hosts = new Set([LOOPBACK, 'localhost'].map((name) => `${name}:${port}`));
  return {
    url: `http://${LOOPBACK}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      const message = `port ${port} for the desk is in use: choose another with --port or "deskPort" in the config (0: any free one)`;
      reject(taken ? new DeskPortError(message, { cause }) : cause);
    });
    server.listen({ host: LOOPBACK, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
