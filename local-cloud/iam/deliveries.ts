import type { CloudPlan } from '../plan.ts';
import type { AccessPlan } from './access-plan.ts';
import { CompiledPolicy, evaluate, type AccessRequest } from './evaluate.ts';
import { refusalMessage } from './refusal.ts';

/** A service may not hand on what it was told to; in AWS mail would be refused, or lost without a word. */
export class DeliveryRefused extends Error {
  static readonly code = 'DELIVERY_REFUSED';

  constructor(from: string, reason: string) {
    super(`${from} cannot deliver. ${reason}`);
    this.name = 'DeliveryRefused';
  }
}

/**
 * Checks that the policies of buckets, topics and queues let mail come in: SES store it and announce it for each
 * receipt rule (which SES tries when the rule is created), and SNS put it on the queues that subscribe.
 * @throws DeliveryRefused
 * @throws PolicyUnsupported
 */
export function checkDeliveries(
  access: AccessPlan,
  plan: Pick<CloudPlan, 'receiptRules' | 'subscriptions'>,
  { region, accountId }: { region: string; accountId: string },
): void {
  const check = (
    service: 'ses' | 'sns',
    by: { arn: string; what: string },
    to: { service: 's3' | 'sns' | 'sqs'; arn: string },
    request: Omit<AccessRequest, 'keys'>,
  ): void => {
    const keys = {
      'aws:sourceaccount': accountId,
      'aws:sourcearn': by.arn,
      'aws:securetransport': 'true',
      's3:tlsversion': '1.3',
    };
    const resource = new CompiledPolicy(access.resources.get(to.arn) ?? []);
    const name = `${service}.amazonaws.com`;
    const asked = { ...request, keys };
    const refusal = evaluate({ resource }, asked, { kind: 'service', name });
    if (refusal !== undefined)
      throw new DeliveryRefused(by.what, refusalMessage(to.service, name, asked, refusal));
  };
  for (const { name, ruleSet, actions } of plan.receiptRules) {
    const arn = `arn:aws:ses:${region}:${accountId}:receipt-rule-set/${ruleSet}:receipt-rule/${name}`;
    const rule = { arn, what: `The receipt rule ${name}` };
    for (const { bucket, prefix, topicArn } of actions) {
      const bucketArn = `arn:aws:s3:::${bucket}`;
      const object = `${bucketArn}/${prefix}AMAZON_SES_SETUP_NOTIFICATION`;
      check('ses', rule, { service: 's3', arn: bucketArn }, { action: 's3:PutObject', resource: object });
      if (topicArn === undefined) continue;
      check('ses', rule, { service: 'sns', arn: topicArn }, { action: 'sns:Publish', resource: topicArn });
    }
  }
  for (const { Protocol, TopicArn, Endpoint } of plan.subscriptions) {
    if (Protocol !== 'sqs') continue;
    const topic = { arn: TopicArn, what: `The topic ${TopicArn}` };
    check('sns', topic, { service: 'sqs', arn: Endpoint }, { action: 'sqs:SendMessage', resource: Endpoint });
  }
}

/** Whether a function's own policy lets Secrets Manager call it to rotate that secret. */
export function mayRotate(
  { permissions }: Pick<CloudPlan, 'permissions'>,
  functionArn: string,
  secretArn: string,
  accountId: string,
): boolean {
  return permissions.some(
    ({ Action, FunctionName, Principal, SourceAccount = accountId, SourceArn = secretArn }) =>
      Action === 'lambda:InvokeFunction' &&
      (FunctionName === functionArn || FunctionName === functionArn.split(':').at(-1)) &&
      Principal === 'secretsmanager.amazonaws.com' &&
      SourceAccount === accountId &&
      SourceArn === secretArn,
  );
}
