import { z } from 'zod';
import type { Action } from './action.ts';
import { ApprovalTier } from './approval.ts';
import { NoteFormatError } from './errors.ts';
import { parseStrictYaml } from './front-matter.ts';

/** `Policy.yaml`: how strongly a person has to say yes to what. The first rule that matches decides. */
export const Policy = z.strictObject({
  version: z.literal(1),
  default: ApprovalTier.default('move'),
  rules: z
    .array(z.strictObject({ kind: z.enum(['email.reply', 'email.send']), tier: ApprovalTier }))
    .max(100)
    .default([]),
  /** The daemon waits this long after an approval before it acts. */
  undoSeconds: z.int().min(0).max(86_400).default(30),
  approvalValidHours: z
    .int()
    .min(1)
    .max(24 * 30)
    .default(72),
  dailyCap: z.strictObject({ email: z.int().min(0).max(10_000).default(50) }).prefault({}),
});
export type Policy = z.infer<typeof Policy>;

const STRENGTH: Readonly<Record<ApprovalTier, number>> = { move: 0, totp: 1, passkey: 2, 'two-person': 3 };

/** The policy of an owner who wrote none. */
export const DEFAULT_POLICY: Policy = Policy.parse({ version: 1 });

/**
 * Reads `Policy.yaml`.
 *
 * @throws {NoteFormatError} naming the line that is wrong. Nothing is approved under a broken policy.
 */
export function parsePolicy(text: string): Policy {
  const parsed = Policy.safeParse(parseStrictYaml(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new NoteFormatError(`Policy.yaml: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
}

/** The strongest tier that any action of a plan asks for. */
export function requiredTier(actions: readonly Action[], policy: Policy): ApprovalTier {
  return actions
    .map((action) => policy.rules.find((rule) => rule.kind === action.kind)?.tier ?? policy.default)
    .reduce<ApprovalTier>(
      (strongest, tier) => (STRENGTH[tier] > STRENGTH[strongest] ? tier : strongest),
      'move',
    );
}
