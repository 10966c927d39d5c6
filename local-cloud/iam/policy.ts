import { z } from 'zod';
import { wildcard } from './wildcard.ts';

const OneOrMany = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** One statement of a policy, its one-or-many fields as lists. */
export const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.record(z.string(), OneOrMany)]).optional(),
  Action: OneOrMany.optional(),
  NotAction: OneOrMany.optional(),
  Resource: OneOrMany.optional(),
  NotResource: OneOrMany.optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
export type Statement = z.infer<typeof Statement>;

/**
 * A policy document, of an identity or of a resource.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export const PolicyDocument = z.object({ Statement: z.array(Statement) });
export type PolicyDocument = z.infer<typeof PolicyDocument>;

/**
 * Whether a statement speaks of an action, by IAM's rules: names are compared without regard to case, `*` stands for
 * any characters and `?` for one, and `NotAction` speaks of all but those named.
 */
export function covers(statement: Statement, action: string): boolean {
  const speaksOf = (pattern: string): boolean => wildcard(pattern, 'any case')(action);
  if (statement.NotAction !== undefined) return !statement.NotAction.some(speaksOf);
  return (statement.Action ?? []).some(speaksOf);
}
