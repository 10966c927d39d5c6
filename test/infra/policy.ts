import { z } from 'zod';
import { covers, PolicyDocument, type Statement } from '#local-cloud/iam/policy.ts';
import type { Deployment, Resource } from './deployments.ts';

export { covers, type Statement };

const RoleProperties = z.object({
  AssumeRolePolicyDocument: PolicyDocument,
  PermissionsBoundary: z.string().optional(),
  ManagedPolicyArns: z.array(z.string()).default([]),
  Policies: z.array(z.object({ PolicyDocument })).default([]),
});
const AttachedProperties = z.object({ PolicyDocument, Roles: z.array(z.string()).default([]) });

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
  return PolicyDocument.parse((resource.properties as Record<string, unknown>)[field]).Statement;
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
