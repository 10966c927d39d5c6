import { sha256Hex } from '#protocol/canonical.ts';
import { NoteFormatError } from '#protocol/errors.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import type { Plan } from './plan.ts';
import type { ToolCall } from './tool-host.ts';

const CALL_TIMEOUT_MS = 60_000;

/** The tool by which mail goes out. */
export const MAIL_TOOL = { server: 'email', tool: 'send_email' } as const;

/**
 * The call that carries out a plan's action, built from the approved bytes alone.
 *
 * @throws {NoteFormatError} when an attachment changed since the check.
 */
export async function toolCallOf(
  agent: Agent,
  task: TaskView,
  plan: Plan,
  idempotencyKey: string,
): Promise<ToolCall> {
  const [action] = plan.actions;
  if (!action) throw new NoteFormatError('the plan has no action');
  const { kind: _kind, attachments, ...mail } = action;
  return {
    ...MAIL_TOOL,
    timeoutMs: CALL_TIMEOUT_MS,
    args: {
      ...mail,
      references: 'references' in mail ? mail.references : [],
      attachments: await Promise.all(attachments.map((file) => attached(agent, file))),
      taskId: task.taskId,
      idempotencyKey,
    },
  };
}

async function attached(
  agent: Agent,
  file: { readonly path: string; readonly sha256: string },
): Promise<{ name: string; contentBase64: string; sha256: string }> {
  const bytes = await agent.files.read(file.path);
  if (!bytes || sha256Hex(bytes) !== file.sha256) {
    throw new NoteFormatError(`the attachment ${file.path} changed after it was approved`);
  }
  const name = file.path.split('/').at(-1) ?? file.path;
  return { name, contentBase64: Buffer.from(bytes).toString('base64'), sha256: file.sha256 };
}
