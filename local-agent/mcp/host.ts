import type { z } from 'zod';
import type { ToolCall, ToolHost, ToolOutcome } from '../tool-host.ts';
import { visibleLine } from '../visible.ts';
import type { ServerConnection } from './server-connection.ts';
import type { ServerLimits } from './server-process.ts';
import {
  EMAIL_SERVER,
  emailServer,
  ownersServers,
  type EmailServerConfig,
  type Environment,
  type McpServers,
} from './server-settings.ts';
import { createFilePins, toolSchemaHash } from './tool-pins.ts';

const LIMITS = {
  startTimeoutMs: 15_000,
  floodBytes: 8 * 1024 * 1024,
  stderrBytes: 256 * 1024,
  killAfterMs: 2_000,
};

/** @see createToolHost */
export interface ToolHostOptions {
  readonly config: EmailServerConfig;
  /** One line for the owner; never the words of a mail. */
  readonly log: (line: string) => void;
  /** The file with the hashes of the owner's tools. */
  readonly pinsFile: string;
  /** The owner's servers. @default none */
  readonly mcpServers?: z.input<typeof McpServers>;
  /** What servers get of it is a short list. @default process.env */
  readonly env?: Environment;
  readonly limits?: Partial<ServerLimits & { readonly startTimeoutMs: number }>;
}

/** The tool host over MCP, with what is needed to approve a changed tool again. */
export interface McpToolHost extends ToolHost {
  /** The hash of a tool's schema as its server offers it now. @throws when the server does not say. */
  schemaHash(server: string, tool: string): Promise<string | undefined>;
}

/** A server that runs or is being started. */
interface Running {
  readonly opening: Promise<ServerConnection>;
  calls: number;
}

/**
 * Calls tools of MCP servers: the built-in `email` and those of the owner. A server starts at its first call,
 * stays, and starts anew after a crash or after it left a call without an answer. A call has `timeoutMs` for
 * everything, the start included.
 *
 * Before each call the server is asked for the tool anew. An owner's tool whose schema is not the one it was
 * first used with is not called until it is approved again. The built-in server's tool is part of this program
 * and changes only with it, so it has no pin.
 *
 * @throws {z.ZodError} when `mcpServers` is not what it should be.
 */
export function createToolHost(options: ToolHostOptions): McpToolHost {
  const limits = { ...LIMITS, ...options.limits };
  const env = options.env ?? process.env;
  const pins = createFilePins(options.pinsFile);
  const settings = ownersServers(options.mcpServers ?? {}, env);
  settings.set(EMAIL_SERVER, emailServer(options.config, env));
  const running = new Map<string, Running>();
  const closing = new Set<Promise<void>>();
  let closed = false;

  /** A server that answers, and the tool in it. Nothing that happens here has any effect outside. */
  async function ready(name: string, tool: string, deadline: number) {
    for (let fresh = false; ;) {
      fresh = !running.has(name);
      const server = running.get(name) ?? start(name, deadline);
      server.calls += 1;
      let connection: ServerConnection | undefined;
      try {
        connection = await server.opening;
        const offered = await connection.find(tool, timeLeft(deadline));
        if (connection.end !== undefined) throw new Error(connection.end);
        return { server, connection, offered };
      } catch (error) {
        retire(name, server);
        release(server);
        // One that died while it was idle is started again, once.
        if (fresh || connection?.end === undefined || timeLeft(deadline) <= 1) throw error;
      }
    }
  }

  function start(name: string, deadline: number): Running {
    if (closed) throw new Error('the agent is stopping');
    const found = settings.get(name);
    if (!found) throw new Error(`there is no such server; known: ${[...settings.keys()].join(', ')}`);
    const log = (line: string): void => options.log(`${name}: ${line}`);
    // Loaded late: most commands never call a tool.
    const opening = import('./server-connection.ts').then((module) =>
      module.ServerConnection.open(found, {
        limits,
        log,
        structuredOnly: name === EMAIL_SERVER,
        timeoutMs: Math.min(limits.startTimeoutMs, timeLeft(deadline)),
      }),
    );
    const server = { opening, calls: 0 };
    running.set(name, server);
    return server;
  }

  /** No new calls for this one; it is ended once nobody waits for it. */
  function retire(name: string, server: Running): void {
    if (running.get(name) === server) running.delete(name);
  }

  function release(server: Running): void {
    server.calls -= 1;
    if (server.calls > 0 || [...running.values()].includes(server)) return;
    end(server);
  }

  function end(server: Running): void {
    const done = server.opening.then(
      (connection) => connection.close(),
      () => undefined,
    );
    closing.add(done);
    void done.finally(() => closing.delete(done));
  }

  async function blockedBecause(server: string, tool: string, hash: string): Promise<string | undefined> {
    if (server === EMAIL_SERVER) return undefined;
    const pinned = await pins.get(server, tool);
    if (pinned === undefined) await pins.set(server, tool, hash);
    return pinned === undefined || pinned === hash
      ? undefined
      : `the tool "${tool}" of "${server}" is not the one that was approved: its description or its input has ` +
          'changed; it is blocked until it is approved again';
  }

  async function call({ server: name, tool, args, timeoutMs }: ToolCall): Promise<ToolOutcome> {
    const deadline = performance.now() + timeoutMs;
    if (closed) return failed('the agent is stopping');
    let found: Awaited<ReturnType<typeof ready>>;
    try {
      found = await ready(name, tool, deadline);
    } catch (error) {
      return failed(`the tool server "${name}" cannot be used: ${words(error)}`);
    }
    const { server, connection, offered } = found;
    try {
      if (!offered) return failed(`the server "${name}" has no tool "${tool}"`);
      const blocked = await blockedBecause(name, tool, toolSchemaHash(offered));
      if (blocked !== undefined) return failed(blocked);
      if (timeLeft(deadline) <= 1) return failed('no time was left for the call');
      const { outcome, overdue } = await connection.run(tool, args, timeLeft(deadline));
      if (overdue || connection.end !== undefined) retire(name, server);
      return outcome;
    } catch (error) {
      // Of pins and hashes only: `run` never throws.
      return failed(`the tool "${tool}" cannot be checked: ${words(error)}`);
    } finally {
      release(server);
    }
  }

  async function prepare(name: string, tool: string): Promise<string | undefined> {
    try {
      const { server, offered } = await ready(name, tool, performance.now() + limits.startTimeoutMs);
      try {
        if (!offered) return `the server "${name}" has no tool "${tool}"`;
        return await blockedBecause(name, tool, toolSchemaHash(offered));
      } finally {
        release(server);
      }
    } catch (error) {
      return `the tool server "${name}" cannot be used: ${words(error)}`;
    }
  }

  return {
    prepare,
    call,
    schemaHash: async (name, tool) => {
      const { server, offered } = await ready(name, tool, performance.now() + limits.startTimeoutMs);
      release(server);
      return offered && toolSchemaHash(offered);
    },
    close: async () => {
      closed = true;
      const all = [...running.values()];
      running.clear();
      all.forEach(end);
      await Promise.all(closing);
    },
  };
}

function failed(detail: string): ToolOutcome {
  return { status: 'failed', detail };
}

function words(error: unknown): string {
  return visibleLine(error instanceof Error ? error.message : String(error), 300);
}

/** At least 1, since 0 would mean no limit. */
function timeLeft(deadline: number): number {
  return Math.max(1, Math.ceil(deadline - performance.now()));
}
