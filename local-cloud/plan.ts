import { z } from 'zod';
import { Resolver } from './intrinsics.ts';
import * as Schemas from './plan-schemas.ts';
import type { NamedResource, Place, ResourceKind } from './resource-kinds.ts';
import { TemplateUnsupported, type Stack, type TemplateResource } from './template.ts';

/** A queue with its attributes as `SetQueueAttributes` takes them. */
export interface PlannedQueue {
  name: string;
  url: string;
  arn: string;
  attributes: Record<string, string>;
}

/** A function as Lambda would run it. */
export interface PlannedFunction {
  /** The construct's name without CDK's hash, such as `Triage`; its access key is made of it. */
  caller: string;
  name: string;
  arn: string;
  /** Folder of the bundle. */
  bundleDir: string;
  /** `file.export` */
  handler: string;
  /** The role it runs with; none where the template names none. */
  roleArn?: string;
  environment: Record<string, string>;
  timeoutSeconds: number;
  memoryMb: number;
  reservedConcurrency?: number;
}

/** What feeds a function from a queue. */
export interface PlannedEventSource {
  functionName: string;
  queueArn: string;
  batchSize: number;
  windowSeconds: number;
  reportsFailures: boolean;
  maximumConcurrency?: number;
}

/** A secret that a function rotates. */
export interface PlannedRotation {
  secretArn: string;
  functionArn: string;
  rules?: { AutomaticallyAfterDays?: number | undefined; ScheduleExpression?: string | undefined };
}

/** What feeds a function from the stream of a table. */
export interface PlannedStreamSource {
  functionName: string;
  tableName: string;
  streamArn: string;
  batchSize: number;
  reportsFailures: boolean;
}

/** What SES does with mail to some recipients. */
export interface PlannedReceiptRule {
  name: string;
  ruleSet: string;
  /** Addresses, domains, or `.domain` for its subdomains; empty means every recipient. */
  recipients: string[];
  scan: boolean;
  actions: { bucket: string; prefix: string; topicArn?: string }[];
}

/** Everything that the local cloud has to make, with names and references resolved. */
export interface CloudPlan {
  tables: ({ name: string } & z.infer<typeof Schemas.TableProperties>)[];
  buckets: { name: string }[];
  queues: PlannedQueue[];
  topics: { name: string; arn: string }[];
  subscriptions: z.infer<typeof Schemas.SubscriptionProperties>[];
  secrets: ({ name: string; arn: string } & z.infer<typeof Schemas.SecretProperties>)[];
  functions: PlannedFunction[];
  eventSources: PlannedEventSource[];
  rotations: PlannedRotation[];
  /** Who may call a function without being a role of the account. */
  permissions: z.infer<typeof Schemas.PermissionProperties>[];
  streamSources: PlannedStreamSource[];
  receiptRules: PlannedReceiptRule[];
  identities: string[];
  configurationSets: string[];
  /** By identity the configuration set that its mails go through if they name none. */
  defaultConfigurationSets: Record<string, string>;
  /** Stack outputs by stack and output name. */
  outputs: Record<string, Record<string, string>>;
}

type Named = NamedResource & { kind: ResourceKind };

/**
 * Turns the stacks of an assembly into what has to be made, in the order of the templates.
 * @throws TemplateUnsupported naming the resource that cannot be run here, and why
 */
export function planOf(stacks: readonly Stack[], place: Place): CloudPlan {
  const resolver = new Resolver(stacks, place);
  const plan: CloudPlan = {
    tables: [],
    buckets: [],
    queues: [],
    topics: [],
    subscriptions: [],
    secrets: [],
    functions: [],
    eventSources: [],
    rotations: [],
    permissions: [],
    streamSources: [],
    receiptRules: [],
    identities: [],
    configurationSets: [],
    defaultConfigurationSets: {},
    outputs: {},
  };
  for (const stack of stacks) {
    for (const [logicalId, resource] of Object.entries(stack.template.Resources)) {
      if (!resolver.holds(stack, resource.Condition)) continue;
      const named = resolver.named(stack, logicalId);
      if (named.kind.made) add(plan, resolver, stack, named, resource);
    }
    plan.outputs[stack.name] = outputsOf(resolver, stack);
  }
  return onlyUsedFunctions(plan);
}

function add(
  plan: CloudPlan,
  resolver: Resolver,
  stack: Stack,
  named: Named,
  resource: TemplateResource,
): void {
  const where = `${stack.name}.${named.logicalId}`;
  const { name } = named;
  const read = <Schema extends z.ZodType>(schema: Schema): z.infer<Schema> => {
    const parsed = schema.safeParse(resolver.resolve(stack, resource.Properties, where));
    if (parsed.success) return parsed.data;
    throw new TemplateUnsupported(`${where} (${resource.Type}): ${z.prettifyError(parsed.error)}`);
  };
  const attribute = (key: string): string => named.kind.attributes[key]?.(named) ?? '';
  switch (resource.Type) {
    case 'AWS::DynamoDB::Table':
      plan.tables.push({ name, ...read(Schemas.TableProperties) });
      return;
    case 'AWS::S3::Bucket':
      plan.buckets.push({ name });
      return;
    case 'AWS::SQS::Queue': {
      const attributes = queueAttributes(read(Schemas.QueueProperties));
      plan.queues.push({ name, url: attribute('QueueUrl'), arn: attribute('Arn'), attributes });
      return;
    }
    case 'AWS::SNS::Topic':
      plan.topics.push({ name, arn: attribute('TopicArn') });
      return;
    case 'AWS::SNS::Subscription':
      plan.subscriptions.push(read(Schemas.SubscriptionProperties));
      return;
    case 'AWS::SecretsManager::Secret':
      plan.secrets.push({ name, arn: attribute('Id'), ...read(Schemas.SecretProperties) });
      return;
    case 'AWS::Lambda::Function':
      plan.functions.push(plannedFunction(resolver, stack, named, read));
      return;
    case 'AWS::Lambda::EventSourceMapping': {
      const mapping = read(Schemas.EventSourceProperties);
      if (!mapping.Enabled) return;
      const shared = {
        functionName: mapping.FunctionName.split(':').at(-1) ?? '',
        batchSize: mapping.BatchSize,
        reportsFailures: mapping.FunctionResponseTypes.includes('ReportBatchItemFailures'),
      };
      const [, tableName] = /:table\/([^/]+)\/stream\//.exec(mapping.EventSourceArn) ?? [];
      if (tableName !== undefined) {
        plan.streamSources.push({ ...shared, tableName, streamArn: mapping.EventSourceArn });
        return;
      }
      plan.eventSources.push({
        ...shared,
        queueArn: mapping.EventSourceArn,
        windowSeconds: mapping.MaximumBatchingWindowInSeconds,
        ...optional('maximumConcurrency', mapping.ScalingConfig?.MaximumConcurrency),
      });
      return;
    }
    case 'AWS::SecretsManager::RotationSchedule': {
      const { SecretId, RotationLambdaARN, RotationRules } = read(Schemas.RotationScheduleProperties);
      plan.rotations.push({
        secretArn: SecretId,
        functionArn: RotationLambdaARN,
        ...optional('rules', RotationRules),
      });
      return;
    }
    case 'AWS::Lambda::Permission':
      plan.permissions.push(read(Schemas.PermissionProperties));
      return;
    case 'AWS::SES::ReceiptRule': {
      const { Rule: rule, RuleSetName: ruleSet } = read(Schemas.ReceiptRuleProperties);
      if (!rule.Enabled) return;
      plan.receiptRules.push({
        name: rule.Name ?? name,
        ruleSet,
        recipients: rule.Recipients,
        scan: rule.ScanEnabled,
        actions: rule.Actions.map(({ S3Action: action }) => ({
          bucket: action.BucketName,
          prefix: action.ObjectKeyPrefix,
          ...optional('topicArn', action.TopicArn),
        })),
      });
      return;
    }
    case 'AWS::SES::EmailIdentity': {
      const set = read(Schemas.EmailIdentityProperties).ConfigurationSetAttributes?.ConfigurationSetName;
      plan.identities.push(name);
      if (set !== undefined) plan.defaultConfigurationSets[name] = set;
      return;
    }
    case 'AWS::SES::ConfigurationSet':
      plan.configurationSets.push(name);
      return;
  }
}

/** The resources that call a function, by the property that names it. */
const CALLERS: Readonly<Record<string, string>> = {
  'AWS::Lambda::EventSourceMapping': 'FunctionName',
  'AWS::SecretsManager::RotationSchedule': 'RotationLambdaARN',
};

type Read = <Schema extends z.ZodType>(schema: Schema) => z.infer<Schema>;

/** Functions that nothing here calls are not started, so their code may be of any kind (custom resources). */
function plannedFunction(resolver: Resolver, stack: Stack, named: Named, read: Read): PlannedFunction {
  const isCalled = (candidate: Stack): boolean =>
    Object.entries(candidate.template.Resources).some(([id, { Type, Properties }]) => {
      const member = CALLERS[Type];
      if (member === undefined) return false;
      const target = resolver.resolve(candidate, Properties[member], `${candidate.name}.${id}`);
      return String(target).split(':').at(-1) === named.name;
    });
  const base = {
    caller: callerName(named.logicalId),
    name: named.name,
    arn: named.kind.attributes['Arn']?.(named) ?? '',
  };
  if (!isCalled(stack)) {
    return { ...base, bundleDir: '', handler: '', environment: {}, timeoutSeconds: 0, memoryMb: 0 };
  }
  const properties = read(Schemas.FunctionProperties);
  const bundleDir = stack.assetPaths.get(properties.Code.S3Key);
  if (bundleDir === undefined) {
    throw new TemplateUnsupported(
      `${stack.name}.${named.logicalId}: no asset has the key ${properties.Code.S3Key}.`,
    );
  }
  return {
    ...base,
    bundleDir,
    handler: properties.Handler,
    ...optional('roleArn', properties.Role),
    environment: properties.Environment?.Variables ?? {},
    timeoutSeconds: properties.Timeout,
    memoryMb: properties.MemorySize,
    ...optional('reservedConcurrency', properties.ReservedConcurrentExecutions),
  };
}

/** `TriageFunction50BDCA4F` is `Triage`: CDK appends a hash, and a function is the child of what it is for. */
function callerName(logicalId: string): string {
  const name = logicalId.replace(/[0-9A-F]{8}$/, '').replace(/(Function|Handler)$/, '');
  return name === '' ? logicalId : name;
}

function onlyUsedFunctions(plan: CloudPlan): CloudPlan {
  return { ...plan, functions: plan.functions.filter(({ handler }) => handler !== '') };
}

function queueAttributes(properties: z.infer<typeof Schemas.QueueProperties>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}

function outputsOf(resolver: Resolver, stack: Stack): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [id, { Value, Condition }] of Object.entries(stack.template.Outputs)) {
    if (!resolver.holds(stack, Condition)) continue;
    outputs[id] = String(resolver.resolve(stack, Value, `${stack.name}.Outputs.${id}`));
  }
  return outputs;
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  const entry: { [K in Key]?: Value } = {};
  if (value !== undefined) entry[key] = value;
  return entry;
}
