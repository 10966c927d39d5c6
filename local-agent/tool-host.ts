/** One call of a tool. `args` are the approved bytes and nothing else. */
export interface ToolCall {
  readonly server: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
}

/**
 * How a call ended. `failed`: it certainly had no effect. `indeterminate`: it may have had one (a
 * timeout, a dead server, an answer that makes no sense), and must not be tried again blindly.
 */
export type ToolOutcome =
  | { readonly status: 'succeeded'; readonly providerId?: string; readonly detail?: string }
  | { readonly status: 'failed'; readonly detail: string }
  | { readonly status: 'indeterminate'; readonly detail: string };

/** Calls tools on behalf of the executor, the only caller there is. */
export interface ToolHost {
  /**
   * Makes a tool ready to be called, without any effect outside: starts its server and checks its schema.
   *
   * @returns why it cannot be called, or `undefined`. Never throws for what a server does.
   */
  prepare(server: string, tool: string): Promise<string | undefined>;
  /** Never throws for what a server does or fails to do. */
  call(call: ToolCall): Promise<ToolOutcome>;
  close(): Promise<void>;
}
