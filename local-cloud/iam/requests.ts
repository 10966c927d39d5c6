import type { AttemptedCall } from '../call-log.ts';
import { dynamodbAccess } from './dynamodb-access.ts';
import { onEverything, present, textOf, type AccessContext, type NeededAccess } from './needed-access.ts';
import { s3Access } from './s3-access.ts';
import { sesAccess } from './ses-access.ts';

/**
 * The permissions that a call needs, in the order in which the service checks them. None for what needs none.
 * An operation that is not known here needs a permission of its own name on everything, so that it is refused rather
 * than let through.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function accessOf(call: AttemptedCall, context: AccessContext): NeededAccess[] {
  switch (call.service) {
    case 'dynamodb':
      return dynamodbAccess(call, context);
    case 's3':
      return s3Access(call);
    case 'sqs':
      return [onQueue(call, context)];
    case 'secretsmanager':
      return [onSecret(call, context)];
    case 'ses':
      return sesAccess(call, context);
    case 'sns': {
      const topic = textOf(call.input, 'TopicArn');
      return [{ action: `sns:${call.operation}`, resource: topic || '*', policyOf: topic, keys: {} }];
    }
    case 'sts':
      // Whoever has a key may ask whose it is, whatever a policy says.
      return call.operation === 'GetCallerIdentity' ? [] : [onEverything(call)];
    case 'cloudwatch':
      return [
        { ...onEverything(call), keys: present({ 'cloudwatch:namespace': textOf(call.input, 'Namespace') }) },
      ];
  }
}

function onQueue({ operation, input }: AttemptedCall, { region, accountId }: AccessContext): NeededAccess {
  const name = textOf(input, 'QueueName') || (textOf(input, 'QueueUrl').split('/').at(-1) ?? '');
  const queue = name === '' ? '*' : `arn:aws:sqs:${region}:${accountId}:${name}`;
  // The batches have no actions of their own.
  return { action: `sqs:${operation.replace(/Batch$/, '')}`, resource: queue, policyOf: queue, keys: {} };
}

function onSecret({ operation, input }: AttemptedCall, { plan }: AccessContext): NeededAccess {
  const id = textOf(input, 'SecretId');
  const known = plan.secrets.find(({ name, arn }) => id === name || id === arn || id === arn.slice(0, -7));
  const secret = known?.arn ?? (id || '*');
  return {
    action: `secretsmanager:${operation}`,
    resource: secret,
    policyOf: secret,
    keys: present({
      'secretsmanager:secretid': secret,
      'secretsmanager:versionstage': textOf(input, 'VersionStage'),
      'secretsmanager:versionid': textOf(input, 'VersionId'),
    }),
  };
}
