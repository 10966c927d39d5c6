/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The parts of a CloudFormation template that the checks read. */
export interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties?: Json;
        readonly DeletionPolicy?: string;
        readonly UpdateReplacePolicy?: string;
      }
    >
  >;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: Json; readonly Export?: { readonly Name: string } }>
  >;
}

export const account = '111122223333';
export const region = 'eu-central-1';

/**
 * Replaces every intrinsic function in a set of stacks by a value of the form AWS would give.
 *
 * @param templates by stack name; imports are looked up among them
 * @throws Error at a function or an import it does not know, since a check on half a value proves nothing
 */
export function resolveTemplates(templates: Readonly<Record<string, Template>>): Record<string, Template> {
  const exports = new Map<string, { stack: string; value: Json }>();
  for (const [stack, { Outputs = {} }] of Object.entries(templates)) {
    for (const { Value, Export } of Object.values(Outputs)) {
      if (Export !== undefined) exports.set(Export.Name, { stack, value: Value });
    }
  }

  const resolve = (stack: string, value: Json): Json => {
    if (value === null || typeof value !== 'object') return value;
    if (isList(value)) return value.map((item) => resolve(stack, item));
    const [[name, argument] = ['', null], ...others] = Object.entries(value);
    if (others.length > 0 || !(name === 'Ref' || name.startsWith('Fn::'))) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(stack, item)]));
    }
    switch (name) {
      case 'Ref':
        return reference(stack, text(argument));
      case 'Fn::GetAtt': {
        const [id, attribute] = argument as [string, string];
        if (attribute.startsWith('DkimDNSToken')) return `${attribute.toLowerCase()}.example.com`;
        if (attribute === 'StreamArn') return `${identity(stack, id).arn}/stream/label`;
        return identity(stack, id)[/Arn$|^KeyId$/.test(attribute) ? 'arn' : 'name'];
      }
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, Json[]];
        return parts.map((part) => text(resolve(stack, part))).join(separator);
      }
      case 'Fn::Sub':
        return text(argument).replace(/\$\{([^}]+)\}/g, (_, id: string) => reference(stack, id));
      case 'Fn::ImportValue': {
        const found = exports.get(text(argument));
        if (found === undefined) throw new Error(`No stack exports ${text(argument)}`);
        return resolve(found.stack, found.value);
      }
      default:
        throw new Error(`Unknown intrinsic function ${name} in ${stack}`);
    }
  };

  const reference = (stack: string, id: string): string => {
    const pseudo: Record<string, string> = {
      'AWS::AccountId': account,
      'AWS::Region': region,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
    };
    return pseudo[id] ?? identity(stack, id).ref;
  };

  const identity = (stack: string, id: string): { ref: string; arn: string; name: string } => {
    const type = templates[stack]?.Resources[id]?.Type;
    if (type === undefined) throw new Error(`${stack} has no resource ${id}`);
    const name = `${stack}-${id}`.toLowerCase();
    const arn = (service: string, resource: string): string =>
      `arn:aws:${service}:${region}:${account}:${resource}`;
    const arns: Record<string, string> = {
      'AWS::S3::Bucket': `arn:aws:s3:::${name}`,
      'AWS::DynamoDB::Table': arn('dynamodb', `table/${name}`),
      'AWS::SQS::Queue': arn('sqs', name),
      'AWS::SNS::Topic': arn('sns', name),
      'AWS::SecretsManager::Secret': arn('secretsmanager', `secret:${name}-AbCdEf`),
      'AWS::KMS::Key': arn('kms', `key/${name}`),
      'AWS::Logs::LogGroup': arn('logs', `log-group:${name}:*`),
      'AWS::IAM::Role': `arn:aws:iam::${account}:role/${name}`,
      'AWS::IAM::ManagedPolicy': `arn:aws:iam::${account}:policy/${name}`,
      'AWS::Lambda::Function': arn('lambda', `function:${name}`),
      'AWS::Backup::BackupVault': arn('backup', `backup-vault:${name}`),
      'AWS::RolesAnywhere::Profile': arn('rolesanywhere', `profile/${name}`),
      'AWS::RolesAnywhere::TrustAnchor': arn('rolesanywhere', `trust-anchor/${name}`),
    };
    const own = arns[type] ?? `${type}/${name}`;
    const refIsArn = /Topic$|Secret$|ManagedPolicy$/.test(type);
    const url = `https://sqs.${region}.amazonaws.com/${account}/${name}`;
    return { ref: type === 'AWS::SQS::Queue' ? url : refIsArn ? own : name, arn: own, name };
  };

  return Object.fromEntries(
    Object.entries(templates).map(([stack, { Resources, Outputs }]) => [
      stack,
      {
        Resources: resolve(stack, Resources as Json),
        Outputs: resolve(stack, (Outputs ?? {}) as Json),
      } as unknown as Template,
    ]),
  );
}

function text(value: Json): string {
  if (typeof value !== 'string') throw new Error(`Expected a string, not ${JSON.stringify(value)}`);
  return value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
