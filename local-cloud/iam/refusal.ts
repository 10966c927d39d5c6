import type { AwsService } from '../call-log.ts';
import type { AccessRequest, Refusal } from './evaluate.ts';

const WHERE = {
  identity: 'an identity-based policy',
  boundary: 'a permissions boundary',
  resource: 'a resource-based policy',
} as const;

const NONE = {
  identity: 'no identity-based policy',
  boundary: 'no permissions boundary',
  resource: 'no resource-based policy',
} as const;

/**
 * The message of a refusal, as the service words it: most name caller, action, resource and reason; SQS writes the
 * action in small letters, S3 the resource in quotes, and SES gives no reason.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export function refusalMessage(
  service: AwsService,
  callerArn: string,
  { action, resource }: AccessRequest,
  { by, explicit }: Refusal,
): string {
  if (service === 'ses')
    return `User \`${callerArn}' is not authorized to perform \`${action}' on resource \`${resource}'`;
  const named = service === 'sqs' ? action.toLowerCase() : action;
  const on = service === 's3' ? `"${resource}"` : resource;
  const why = explicit
    ? `with an explicit deny in ${WHERE[by]}`
    : `because ${NONE[by]} allows the ${named} action`;
  return `User: ${callerArn} is not authorized to perform: ${named} on resource: ${on} ${why}`;
}
