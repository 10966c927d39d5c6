import type { Server } from 'node:net';

/** A port is taken: says which, and which variable moves it. */
export class PortInUse extends Error {
  static readonly code = 'PORT_IN_USE';
  readonly port: number;
  readonly service: string;

  constructor(service: string, port: number, cause: unknown) {
    super(`port ${port} (${service}) is already in use`, { cause });
    this.name = 'PortInUse';
    this.port = port;
    this.service = service;
  }
}

/**
 * Listens on loopback only.
 * @param port 0 takes any free port
 * @returns the port that was taken
 * @throws PortInUse
 */
export async function listenOnLoopback(server: Server, service: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(asPortInUse(error, service, port));
    server.once('error', fail);
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', fail);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`${service} listens on no port`);
  return address.port;
}

/** Turns Node's EADDRINUSE and EACCES into {@link PortInUse}; any other error stays as it is. */
export function asPortInUse(error: unknown, service: string, port: number): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE' || code === 'EACCES') return new PortInUse(service, port, error);
  return error instanceof Error ? error : new Error(String(error));
}
