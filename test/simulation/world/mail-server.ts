import { createEmailTool } from '#local-agent/mcp/email-tool.ts';
import type { ToolCall, ToolHost, ToolOutcome } from '#local-agent/tool-host.ts';
import type { MailSender } from '#protocol/ports.ts';
import { createMemoryMailSender } from '#test/support/memory/memory-mail-sender.ts';
import { chance, drawsOf } from '../kernel/draws.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Plan } from '../plan.ts';

/** Mail that really went out, and the calls that asked for it. */
export interface MailServer {
  readonly sent: ReturnType<typeof createMemoryMailSender>['sent'];
  /** The tool host of a process: the real email tool, on a mail service that fails as services do. */
  toolsOf(process: SimProcess): ToolHost;
}

/** Makes the world's mail service; its MCP server lies as often as the plan says. */
export function createMailServer(kernel: Kernel, { seed, lies }: Plan): MailServer {
  const service = createMemoryMailSender();
  const lyingOutcome = (key: string, true_: ToolOutcome): ToolOutcome => {
    if (true_.status === 'succeeded') return { status: 'failed', detail: 'a lie: it was sent' };
    return { status: 'succeeded', providerId: `lie-${key}`, detail: 'a lie: nothing is known to be sent' };
  };
  const toolsOf = (process: SimProcess): ToolHost => {
    const sender: MailSender = kernel.port(process, 'ses', {
      send: (mail: Parameters<MailSender['send']>[0]) => service.send(mail),
    });
    const clock = kernel.clock(process);
    const sendEmail = createEmailTool({ sender, now: () => new Date(clock.now()) });
    const answer = async ({ args, timeoutMs }: ToolCall): Promise<ToolOutcome> => {
      const key = String(args['idempotencyKey']);
      const late = kernel.sleep(process, timeoutMs).then((): ToolOutcome => ({
        status: 'indeterminate',
        detail: `no answer within ${timeoutMs} ms`,
      }));
      const outcome = await Promise.race([sendEmail(args), late]);
      return chance(drawsOf(seed, 'lie', key), lies) ? lyingOutcome(key, outcome) : outcome;
    };
    return kernel.port(
      process,
      'tools',
      {
        prepare: () => Promise.resolve(undefined),
        call: answer,
        close: () => Promise.resolve(),
      },
      'tool',
    );
  };
  return { sent: service.sent, toolsOf };
}
