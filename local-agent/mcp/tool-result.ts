import { z } from 'zod';
import type { ToolOutcome } from '../tool-host.ts';
import { visibleLine } from '../visible.ts';

const DETAIL = 500;
const Words = z.string().transform((text) => visibleLine(text, DETAIL));

/** The outcome as a server says it in `structuredContent`. Whatever else stands there is ignored. */
const SaidOutcome = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('succeeded'),
    providerId: z
      .string()
      .regex(/^[\x21-\x7e]{1,500}$/)
      .optional(),
    detail: Words.optional(),
  }),
  z.object({ status: z.literal('failed'), detail: Words.default('it gave no reason') }),
  z.object({ status: z.literal('indeterminate'), detail: Words.default('it gave no reason') }),
]);

/** A tool's answer, as far as anything here looks at it. `content` is required, as the protocol has it. */
export const ToolResult = z.looseObject({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  isError: z.boolean().optional(),
});
export type ToolResult = z.infer<typeof ToolResult>;

/**
 * What a tool's answer says of its effect. The words in it are data and are only ever shown.
 *
 * An error counts as `failed` only if the server says so in structured form; an error in mere words may have
 * come after the effect. A server of our own (`structuredOnly`) has to answer in structured form always.
 */
export function outcomeOf(result: ToolResult, structuredOnly: boolean): ToolOutcome {
  const said = SaidOutcome.safeParse(result.structuredContent).data;
  const words = visibleLine(result.content.map(({ text }) => text ?? '').join(' '), DETAIL);
  if (said && !(result.isError === true && said.status === 'succeeded')) return said;
  if (said) return { status: 'indeterminate', detail: 'the tool reports an error and a success at once' };
  if (structuredOnly)
    return { status: 'indeterminate', detail: 'the tool answered in a form that means nothing' };
  if (result.isError === true) {
    return { status: 'indeterminate', detail: `the tool reports an error: ${words || 'without words'}` };
  }
  return words === '' ? { status: 'succeeded' } : { status: 'succeeded', detail: words };
}
