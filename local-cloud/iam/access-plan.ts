import { z } from 'zod';
import { Resolver } from '../intrinsics.ts';
import type { Place } from '../resource-kinds.ts';
import { TemplateUnsupported, type Stack } from '../template.ts';
import { PolicyDocument, type Statement } from './policy.ts';

/** A role of the templates with all that says what it may do. */
export interface PlannedRole {
  logicalId: string;
  name: string;
  arn: string;
  identity: Statement[];
  /** Undefined without a permissions boundary. */
  boundary?: Statement[];
}

/** Who may do what, as the templates say. */
export interface AccessPlan {
  roles: PlannedRole[];
  /** Statements of resource policies by the ARN of their resource. */
  resources: ReadonlyMap<string, Statement[]>;
}

const RoleProperties = z.object({
  PermissionsBoundary: z.string().optional(),
  ManagedPolicyArns: z.array(z.string()).default([]),
  Policies: z.array(z.object({ PolicyDocument })).default([]),
});
const Attached = z.object({ PolicyDocument, Roles: z.array(z.string()).default([]) });

/** Kinds of resource policies: the property that names the resources, and their ARNs. */
const RESOURCE_POLICIES: Readonly<
  Record<string, { on: string; arn: (named: string, place: Place) => string }>
> = {
  'AWS::S3::BucketPolicy': { on: 'Bucket', arn: (bucket) => `arn:aws:s3:::${bucket}` },
  'AWS::SNS::TopicPolicy': { on: 'Topics', arn: (topic) => topic },
  'AWS::SQS::QueuePolicy': {
    on: 'Queues',
    arn: (url, { region, accountId }) => `arn:aws:sqs:${region}:${accountId}:${url.split('/').at(-1) ?? ''}`,
  },
};
const Named = z.union([z.string().transform((name) => [name]), z.array(z.string())]);

/**
 * Reads roles, their policies and boundaries, and the policies of resources out of the stacks of an assembly.
 * @throws TemplateUnsupported if a policy cannot be read, or comes from outside the templates: nobody could tell here
 *   what it allows
 */
export function accessPlanOf(stacks: readonly Stack[], place: Place): AccessPlan {
  const resolver = new Resolver(stacks, place);
  const all = stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources)
      .filter(([, { Condition }]) => resolver.holds(stack, Condition))
      .map(([logicalId, { Type: type, Properties }]) => ({ stack, logicalId, type, Properties })),
  );
  const read = <Schema extends z.ZodType>(
    schema: Schema,
    { stack, logicalId, Properties }: Found,
  ): z.infer<Schema> => {
    const where = `${stack.name}.${logicalId}`;
    const parsed = schema.safeParse(resolver.resolve(stack, Properties, where));
    if (parsed.success) return parsed.data;
    throw new TemplateUnsupported(`${where}: ${z.prettifyError(parsed.error)}`);
  };
  const identityOf = ({ stack, logicalId }: Found): { name: string; arn: string } => {
    const named = resolver.named(stack, logicalId);
    return { name: named.name, arn: named.kind.attributes['Arn']?.(named) ?? '' };
  };
  const policies = all
    .filter(({ type }) => type === 'AWS::IAM::Policy' || type === 'AWS::IAM::ManagedPolicy')
    .map((found) => ({ ...read(Attached, found), arn: identityOf(found).arn }));

  const roles = all
    .filter(({ type }) => type === 'AWS::IAM::Role')
    .map((found): PlannedRole => {
      const { PermissionsBoundary, ManagedPolicyArns, Policies } = read(RoleProperties, found);
      const { name, arn } = identityOf(found);
      const byArn = (wanted: string): Statement[] => {
        const policy = policies.find((candidate) => candidate.arn === wanted);
        if (policy !== undefined) return policy.PolicyDocument.Statement;
        throw new TemplateUnsupported(
          `${found.stack.name}.${found.logicalId}: ${wanted} is not in the templates.`,
        );
      };
      const attached = policies.filter(({ Roles }) => Roles.includes(name));
      return {
        logicalId: found.logicalId,
        name,
        arn,
        identity: [
          ...[...Policies, ...attached].flatMap((policy) => policy.PolicyDocument.Statement),
          ...ManagedPolicyArns.flatMap(byArn),
        ],
        ...(PermissionsBoundary === undefined ? {} : { boundary: byArn(PermissionsBoundary) }),
      };
    });

  const resources = new Map<string, Statement[]>();
  for (const found of all) {
    const kind = RESOURCE_POLICIES[found.type];
    if (kind === undefined) continue;
    const { PolicyDocument: document, [kind.on]: on } = read(z.looseObject({ PolicyDocument }), found);
    for (const named of Named.parse(on)) {
      const arn = kind.arn(named, place);
      resources.set(arn, [...(resources.get(arn) ?? []), ...document.Statement]);
    }
  }
  return { roles, resources };
}

interface Found {
  stack: Stack;
  logicalId: string;
  Properties: Record<string, unknown>;
}
