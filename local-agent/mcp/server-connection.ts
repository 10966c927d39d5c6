import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ErrorCode, ListToolsResultSchema, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { ToolOutcome } from '../tool-host.ts';
import { visibleLine } from '../visible.ts';
import { ServerProcess, type ServerLimits } from './server-process.ts';
import type { ServerSettings } from './server-settings.ts';
import type { ToolSchema } from './tool-pins.ts';
import { outcomeOf, ToolResult } from './tool-result.ts';

const MAX_TOOL_PAGES = 20;

/** A running tool server with an MCP session. */
export class ServerConnection {
  readonly #process: ServerProcess;
  readonly #client: Client;
  readonly #structuredOnly: boolean;

  private constructor(process: ServerProcess, client: Client, structuredOnly: boolean) {
    this.#process = process;
    this.#client = client;
    this.#structuredOnly = structuredOnly;
  }

  /**
   * Starts the server and shakes hands.
   *
   * @param options.structuredOnly the server is ours and answers in structured form always
   * @throws when it cannot be started or does not speak MCP in time; it is gone then.
   */
  static async open(
    settings: ServerSettings,
    options: {
      readonly limits: ServerLimits;
      readonly log: (line: string) => void;
      readonly structuredOnly: boolean;
      readonly timeoutMs: number;
    },
  ): Promise<ServerConnection> {
    const process = new ServerProcess(settings, options.limits, options.log);
    // No capability at all: no sampling, no elicitation, no roots.
    const client = new Client({ name: 'ai-employee', version: '1.0.0' }, { capabilities: {} });
    client.fallbackRequestHandler = ({ method }) => {
      options.log(`(refused its request ${visibleLine(method, 50)})`);
      return Promise.reject(new McpError(ErrorCode.MethodNotFound, 'this host answers no requests'));
    };
    client.onerror = (error) => options.log(`(${visibleLine(error.message, 200)})`);
    try {
      await client.connect(process, { timeout: options.timeoutMs });
    } catch (error) {
      // Started it may be, and in no state to be asked to leave.
      await process.close();
      throw error;
    }
    return new ServerConnection(process, client, options.structuredOnly);
  }

  /** How the server ended; `undefined` while it runs. */
  get end(): string | undefined {
    return this.#process.end;
  }

  /** Looks up a tool as the server offers it now. @throws when the server does not say. */
  async find(tool: string, timeoutMs: number): Promise<ToolSchema | undefined> {
    let cursor: string | undefined;
    for (let page = 0; page < MAX_TOOL_PAGES; page += 1) {
      // Not client.listTools: that compiles whatever schemas the server comes up with.
      const answer = await this.#client.request(
        { method: 'tools/list', params: cursor === undefined ? {} : { cursor } },
        ListToolsResultSchema,
        { timeout: timeoutMs },
      );
      const found = answer.tools.filter(({ name }) => name === tool);
      if (found.length > 1) throw new Error(`it offers two tools named "${tool}"`);
      if (found[0]) return found[0];
      cursor = answer.nextCursor;
      if (cursor === undefined) return undefined;
    }
    throw new Error('its list of tools does not end');
  }

  /** Calls a tool once. Never throws; `overdue` says that no answer came in time. */
  async run(
    tool: string,
    args: Readonly<Record<string, unknown>>,
    timeoutMs: number,
  ): Promise<{ readonly outcome: ToolOutcome; readonly overdue: boolean }> {
    // From here on the request counts as written: part of it may be in the pipe whatever is thrown.
    if (this.end !== undefined) {
      return { outcome: { status: 'failed', detail: `not called: the server ${this.end}` }, overdue: false };
    }
    this.#process.resetLog();
    try {
      const result = await this.#client.request(
        { method: 'tools/call', params: { name: tool, arguments: { ...args } } },
        ToolResult,
        { timeout: timeoutMs },
      );
      return { outcome: outcomeOf(result, this.#structuredOnly), overdue: false };
    } catch (error) {
      const overdue = error instanceof McpError && (error.code as ErrorCode) === ErrorCode.RequestTimeout;
      return { outcome: { status: 'indeterminate', detail: this.#whatHappened(error, timeoutMs) }, overdue };
    }
  }

  async close(): Promise<void> {
    await this.#process.close();
  }

  #whatHappened(error: unknown, timeoutMs: number): string {
    if (this.end !== undefined) return `during the call the server ${this.end}`;
    if (!(error instanceof McpError)) return 'the server answered in a form that is not of the protocol';
    switch (error.code as ErrorCode) {
      case ErrorCode.RequestTimeout:
        return `no answer within ${timeoutMs} ms`;
      case ErrorCode.ConnectionClosed:
        return 'the connection was closed during the call';
      default:
        return `the server reports an error: ${visibleLine(error.message, 300)}`;
    }
  }
}
