import { z } from 'zod';
import type { Deployment, Resource } from './deployments.ts';

const OneOrMany = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

const Statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.record(z.string(), OneOrMany)]).optional(),
  Action: OneOrMany.optional(),
  NotAction: OneOrMany.optional(),
  Resource: OneOrMany.optional(),
  NotResource: OneOrMany.optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});

/** A statement of a policy, its one-or-many fields as lists. */
export type Statement = z.infer<typeof Statement>;

const Document = z.object({ Statement: z.array(Statement) });
const RoleProperties = z.object({
  AssumeRolePolicyDocument: Document,
  PermissionsBoundary: z.string().optional(),
  ManagedPolicyArns: z.array(z.string()).default([]),
  Policies: z.array(z.object({ PolicyDocument: Document })).default([]),
});
const AttachedProperties = z.object({ PolicyDocument: Document, Roles: z.array(z.string()).default([]) });

/** A role with everything that says what it may do. */
export interface RoleRights {
  readonly role: Resource;
  /** Statements of inline policies and of those attached to it in the templates. */
  readonly granted: readonly Statement[];
  /** Statements of its permissions boundary; undefined when it has none. */
  readonly boundary: readonly Statement[] | undefined;
  /** Managed policies from outside the templates, whose contents nobody reviews here. */
  readonly foreign: readonly string[];
  readonly trust: readonly Statement[];
}

/** Statements of the policy document in a resource's `PolicyDocument`, or in another field given. */
export function statementsOf(
  resource: Resource,
  field: 'PolicyDocument' | 'KeyPolicy' = 'PolicyDocument',
): Statement[] {
  return Document.parse((resource.properties as Record<string, unknown>)[field]).Statement;
}

/** Every role of a deployment with its rights. */
export function rolesOf(deployment: Deployment): RoleRights[] {
  const policies = deployment.resources.filter(({ type }) => /^AWS::IAM::(Managed)?Policy$/.test(type));
  const arnOf = ({ stack, id }: Resource): string =>
    `arn:aws:iam::111122223333:policy/${`${stack}-${id}`.toLowerCase()}`;
  return deployment.resources
    .filter(({ type }) => type === 'AWS::IAM::Role')
    .map((role) => {
      const { Policies, PermissionsBoundary, ManagedPolicyArns, AssumeRolePolicyDocument } =
        RoleProperties.parse(role.properties);
      const attached = policies.filter(
        (policy) =>
          AttachedProperties.parse(policy.properties).Roles.includes(
            `${role.stack}-${role.id}`.toLowerCase(),
          ) || ManagedPolicyArns.includes(arnOf(policy)),
      );
      const boundary = policies.find((policy) => arnOf(policy) === PermissionsBoundary);
      return {
        role,
        granted: [
          ...Policies.flatMap((policy) => policy.PolicyDocument.Statement),
          ...attached.flatMap((p) => statementsOf(p)),
        ],
        boundary: boundary && statementsOf(boundary),
        foreign: ManagedPolicyArns.filter((arn) => !policies.some((policy) => arnOf(policy) === arn)),
        trust: AssumeRolePolicyDocument.Statement,
      };
    });
}

/**
 * Whether a statement speaks of an action, by IAM's rules: names are compared without regard to case, `*` stands for
 * any characters and `?` for one, and `NotAction` speaks of all but those named.
 */
export function covers(statement: Statement, action: string): boolean {
  if (statement.NotAction !== undefined)
    return !statement.NotAction.some((pattern) => matches(pattern, action));
  return (statement.Action ?? []).some((pattern) => matches(pattern, action));
}

function matches(pattern: string, action: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(action);
}
