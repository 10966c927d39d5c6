import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { createSesClient } from '#adapters/ses-client.ts';
import { createSesMailSender } from '#adapters/ses-mail-sender.ts';
import type { MailSender } from '#protocol/ports.ts';
import type { ToolOutcome } from '../tool-host.ts';
import { visibleLine } from '../visible.ts';
import { createEmailTool, SendEmail } from './email-tool.ts';
import { NotSentError } from './send-failure.ts';
import { StdioServerTransport } from './stdio-server-transport.ts';

const TOOL = 'send_email';
/** Long enough for 40 MB at 10 Mbit/s, and shorter than what the host waits. */
const REQUEST_TIMEOUT_MS = 50_000;

/** The built-in mail server: MCP over stdio, one tool. Region, endpoint and credentials come by environment. */
async function main(): Promise<void> {
  const sendEmail = createEmailTool({ sender: onceOnlySender(), now: () => new Date() });
  const server = new Server({ name: 'email', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [
      {
        name: TOOL,
        description: 'Sends one plain-text mail by SES, exactly as given.',
        inputSchema: { ...z.toJSONSchema(SendEmail, { io: 'input' }), type: 'object' as const },
        annotations: { destructiveHint: true, idempotentHint: false, openWorldHint: true },
      },
    ],
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const outcome: ToolOutcome =
      params.name === TOOL
        ? await sendEmail(params.arguments)
        : { status: 'failed', detail: `there is no tool "${params.name}" here` };
    return {
      content: [{ type: 'text' as const, text: outcome.detail ?? outcome.status }],
      structuredContent: { ...outcome },
      isError: outcome.status !== 'succeeded',
    };
  });
  // Without its host there is nobody to tell what happened to a mail, so nothing more is begun.
  server.onclose = () => process.exit(0);
  await server.connect(new StdioServerTransport(process.stdin, process.stdout));
}

/**
 * Sends by SES with exactly one request. The SDK would repeat it after a lost answer, and the mail go out
 * twice. Each mail has a client of its own: a connection that died while the machine slept would otherwise
 * swallow the next mail and leave its fate unknown.
 */
function onceOnlySender(): MailSender {
  return {
    send: async (mail) => {
      const client = createSesClient();
      try {
        client.config.retryStrategy = () => Promise.resolve(NEVER_AGAIN);
        if (isAdjustable(client.config.requestHandler)) {
          client.config.requestHandler.updateHttpClientConfig('requestTimeout', REQUEST_TIMEOUT_MS);
        }
        await client.config.credentials().catch((cause: unknown) => {
          const words = cause instanceof Error ? cause.message : String(cause);
          throw new NotSentError(`no AWS credentials: ${visibleLine(words, 300)}`, { cause });
        });
        return await createSesMailSender(client).send(mail);
      } finally {
        client.destroy();
      }
    },
  };
}

/** The SDK asks for leave before each further try; there is none. */
const NEVER_AGAIN = {
  acquireInitialRetryToken: () => Promise.resolve({ getRetryCount: () => 0, getRetryDelay: () => 0 }),
  refreshRetryTokenForRetry: () => Promise.reject(new Error('a mail is sent once')),
  recordSuccess: () => undefined,
};

/** The SDK's own handler, whose limit of time is otherwise the one for small requests. */
function isAdjustable(
  handler: object,
): handler is { updateHttpClientConfig: (key: 'requestTimeout', value: number) => void } {
  return 'updateHttpClientConfig' in handler;
}

await main();
