import { describe, expect, it } from 'vitest';
import { ensureAssembly } from '#infra/synth.ts';
import type { AttemptedCall, AwsService } from '#local-cloud/call-log.ts';
import { credentialsOf } from '#local-cloud/credentials.ts';
import { accessPlanOf, type AccessPlan, type PlannedRole } from '#local-cloud/iam/access-plan.ts';
import { enforce, EventSourceRefused, type RoleGrant } from '#local-cloud/iam/enforcement.ts';
import type { Statement } from '#local-cloud/iam/policy.ts';
import { planOf } from '#local-cloud/plan.ts';
import { readAssembly } from '#local-cloud/template.ts';

const place = { region: 'us-east-1', accountId: '000000000000', sqsEndpoint: 'http://127.0.0.1:9' };
const { assemblyDir } = await ensureAssembly();
const stacks = readAssembly(assemblyDir);
const access = accessPlanOf(stacks, place);
const plan = planOf(stacks, place);

/** Rights that no call to an emulator needs: Lambda's runtime writes logs and traces, services use keys. */
const NOT_CALLED_HERE = /^(logs|xray|kms):/;
const grants = enforce(access, plan, place)
  .grants()
  .filter(({ action }) => !NOT_CALLED_HERE.test(action));

describe('the policies of the templates are in force', () => {
  it('for both functions and their pollers, and the grants are those of their roles', () => {
    const callers = new Set(grants.map(({ caller }) => caller));
    expect([...callers]).toEqual(expect.arrayContaining(['Triage', 'Draft']));
    expect(grants.length).toBeGreaterThan(15);
  });

  it.each(grants)('$caller may $action only while it is granted: $resource', (grant) => {
    expect(refusal(access, grant)).toBeUndefined();
    const reason = `because no identity-based policy allows the ${worded(grant)} action`;
    expect(refusal(without(grant, 'identity'), grant)).toMatch(reasonOn(grant, reason));
  });

  it.each(grants)('$caller may $action only while the boundary lets it: $resource', (grant) => {
    const reason = `because no permissions boundary allows the ${worded(grant)} action`;
    expect(refusal(without(grant, 'boundary'), grant)).toMatch(reasonOn(grant, reason));
  });

  it.each([
    ['Triage', 'ses', 'SendRawEmail', { Source: 'assistant@example.com' }],
    ['Draft', 'sns', 'Publish', { TopicArn: 'arn:aws:sns:us-east-1:000000000000:any' }],
    ['Draft', 'sts', 'AssumeRole', {}],
    ['TriagePoller', 'dynamodb', 'DeleteItem', { TableName: plan.tables[0]?.name }],
    ['Draft', 'secretsmanager', 'PutSecretValue', { SecretId: plan.secrets[0]?.arn }],
  ] satisfies [string, AwsService, string, AttemptedCall['input']][])(
    'a grant by mistake does not help %s: %s %s',
    (caller, service, operation, input) => {
      const all: Statement[] = [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }];
      const generous = { ...access, roles: access.roles.map((role) => ({ ...role, identity: all })) };
      const { intercept } = enforce(generous, plan, place);
      const denied = intercept(attempt(caller, service, operation, input));
      expect(denied?.message).toMatch(
        /explicit deny in a permissions boundary|not authorized to perform `ses:/,
      );
    },
  );

  it('the owner and the platform may do all, and anybody may ask who they are', () => {
    const { intercept } = enforce(access, plan, place);
    for (const caller of ['owner', 'platform']) {
      expect(intercept(attempt(caller, 'secretsmanager', 'PutSecretValue', {}))).toBeUndefined();
    }
    expect(intercept(attempt('Draft', 'sts', 'GetCallerIdentity', {}))).toBeUndefined();
  });

  it('says which grants were needed', () => {
    const enforcement = enforce(access, plan, place);
    const [grant] = grants.filter(({ action }) => action === 'dynamodb:PutItem');
    const isUsed = (): unknown =>
      enforcement.grants().find((each) => each.caller === grant?.caller && each.action === grant.action)
        ?.used;
    expect(isUsed()).toBe(false);
    for (const call of grant ? [sample(grant)] : []) enforcement.intercept(call);
    expect(isUsed()).toBe(true);
  });
});

/** The message with which the call that a grant is for is refused, if it is. */
function refusal(plannedAccess: AccessPlan, grant: RoleGrant): string | undefined {
  try {
    return enforce(plannedAccess, plan, place).intercept(sample(grant))?.message;
  } catch (error) {
    if (error instanceof EventSourceRefused) return error.message;
    throw error;
  }
}

/** A call that needs this grant. */
function sample({ caller, action, resource }: RoleGrant): AttemptedCall {
  const [service = '', operation = ''] = action.split(':');
  const name = resource.split(':').at(-1)?.replace('*', 'some') ?? '';
  switch (service) {
    case 'dynamodb':
      if (name.includes('/stream/')) return attempt(caller, 'dynamodb', operation, { StreamArn: resource });
      return attempt(caller, 'dynamodb', operation, { TableName: name.replace('table/', '') });
    case 's3': {
      const [bucket = '', ...key] = name.split('/');
      const isList = operation === 'ListBucket';
      return attempt(caller, 's3', isList ? 'ListObjectsV2' : operation, {
        Bucket: bucket,
        Key: key.join('/'),
      });
    }
    case 'sqs':
      return attempt(caller, 'sqs', operation, {
        QueueUrl: `${place.sqsEndpoint}/${place.accountId}/${name}`,
      });
    case 'secretsmanager':
      return attempt(caller, 'secretsmanager', operation, { SecretId: resource });
    case 'ses': {
      const set = /:configuration-set\/(.*)$/.exec(resource)?.[1];
      const sender = { Source: 'assistant@example.com', 'Destinations.member.1': 'a@b.example' };
      return attempt(caller, 'ses', operation, { ...sender, ...(set && { ConfigurationSetName: set }) });
    }
    default:
      throw new Error(`no call is known that needs ${action}`);
  }
}

function attempt(
  caller: string,
  service: AwsService,
  operation: string,
  input: AttemptedCall['input'],
): AttemptedCall {
  const { accessKeyId } = credentialsOf(caller);
  return { service, operation, input, accessKeyId, region: place.region, at: '', requestId: '' };
}

/** The access plan with one pair of action and resource taken out of a caller's policies or out of its boundary. */
function without({ caller, action, resource }: RoleGrant, from: 'identity' | 'boundary'): AccessPlan {
  const planned = plan.functions.find((each) => each.caller === caller);
  const isTheirs = ({ arn, logicalId }: PlannedRole): boolean =>
    planned === undefined ? logicalId.startsWith('AgentRole') : arn === planned.roleArn;
  const cut = (statements: readonly Statement[]): Statement[] =>
    statements.flatMap((statement) => {
      const { Effect, Action = [], Resource = [] } = statement;
      if (Effect !== 'Allow' || !Action.includes(action) || !Resource.includes(resource)) return [statement];
      return [
        { ...statement, Action: Action.filter((each) => each !== action) },
        { ...statement, Resource: Resource.filter((each) => each !== resource) },
      ];
    });
  return {
    ...access,
    roles: access.roles.map((role) => (isTheirs(role) ? { ...role, [from]: cut(role[from] ?? []) } : role)),
  };
}

/** SQS names actions in small letters. */
function worded({ action }: RoleGrant): string {
  return action.startsWith('sqs:') ? action.toLowerCase() : action;
}

/** Action, resource and reason in one message; SES gives no reason. */
function reasonOn(grant: RoleGrant, reason: string): RegExp {
  const resource = grant.resource.replace('*', 'some').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return grant.action.startsWith('ses:')
    ? new RegExp(`${grant.action}' on resource \`${resource}'`)
    : new RegExp(`is not authorized to perform: ${worded(grant)} on resource: "?${resource}"? ${reason}`);
}
