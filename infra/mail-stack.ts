import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnReceiptRule, CfnReceiptRuleSet } from 'aws-cdk-lib/aws-ses';
import { CfnSubscription, Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { functionSizes } from './function-sizes.ts';
import { deploymentNames, inboundPrefix, receiptRuleArn } from './names.ts';
import { QueueWithDlq } from './queue-with-dlq.ts';
import { SendingIdentity } from './sending-identity.ts';
import type { StorageStack } from './storage-stack.ts';

/**
 * How mail comes in: SES receipt rule, raw mail to the inbound bucket, the notification with SES's verdicts through
 * a topic to the inbound queue. And who approved mail goes out as; its DNS records are outputs, to be pasted into the
 * domain's zone.
 *
 * An account has one active rule set a region, and it may already have one with rules of its own. So the deployment
 * does not switch sets by itself; the output `ActivateReceiptRuleSet` is the command that does, run by the owner with
 * the owner's rights. No role of the deployment needs any right in SES that way.
 */
export class MailStack extends Stack {
  readonly inbound: QueueWithDlq;

  constructor(scope: Construct, id: string, settings: Settings, storage: StorageStack, props: StackProps) {
    super(scope, id, props);
    const names = deploymentNames(settings);

    this.inbound = new QueueWithDlq(this, 'InboundMail', {
      settings,
      consumerTimeout: functionSizes.triage.timeout,
    });
    const topic = this.notifications(settings, storage);
    this.subscribe(topic, this.inbound);

    const ruleSet = new CfnReceiptRuleSet(this, 'RuleSet', { ruleSetName: names.ruleSet });
    const rule = new CfnReceiptRule(this, 'Rule', {
      ruleSetName: names.ruleSet,
      rule: {
        name: names.rule,
        enabled: true,
        recipients: [...settings.recipients],
        scanEnabled: true,
        tlsPolicy: 'Require',
        actions: [
          {
            s3Action: {
              bucketName: storage.inboundBucket.bucketName,
              objectKeyPrefix: inboundPrefix,
              topicArn: topic.topicArn,
            },
          },
        ],
      },
    });
    rule.addResourceDependency(ruleSet);
    // SES tries both the bucket and the topic when a rule is created, and refuses the rule if it may not.
    rule.node.addDependency(topic);

    const sending = new SendingIdentity(this, 'Sending', { settings, encryptionKey: storage.encryptionKey });
    for (const [name, value] of Object.entries(sending.dnsRecords)) new CfnOutput(this, name, { value });

    new CfnOutput(this, 'ActivateReceiptRuleSet', {
      description: 'Run once to receive mail; it replaces the active rule set of this account and region',
      value: `aws ses set-active-receipt-rule-set --region ${this.region} --rule-set-name ${names.ruleSet}`,
    });
    new CfnOutput(this, 'CheckReceiptRuleSet', {
      description: `Says ${names.ruleSet} when mail is received`,
      value: `aws ses describe-active-receipt-rule-set --region ${this.region} --query Metadata.Name --output text`,
    });
  }

  // Without the customer key of the full profile this topic has no key of its own: SES cannot publish under the
  // AWS-managed one, whose policy nobody can change. It carries headers and verdicts, over TLS, and keeps nothing.
  private notifications(settings: Settings, storage: StorageStack): Topic {
    const topic = new Topic(this, 'Notifications', {
      enforceSSL: true,
      ...(storage.encryptionKey && { masterKey: storage.encryptionKey }),
    });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ReceiptRuleMayNotify',
        principals: [new ServicePrincipal('ses.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: {
            'aws:SourceAccount': this.account,
            'aws:SourceArn': receiptRuleArn(this, settings),
          },
        },
      }),
    );
    return topic;
  }

  private subscribe(topic: Topic, inbound: QueueWithDlq): void {
    for (const queue of [inbound.queue, inbound.deadLetters]) this.topicMaySend(topic, queue);
    const subscription = new CfnSubscription(this, 'Subscription', {
      topicArn: topic.topicArn,
      protocol: 'sqs',
      endpoint: inbound.queue.queueArn,
      rawMessageDelivery: true,
      // What SNS cannot hand to the queue is kept where the alarm looks, instead of being dropped.
      redrivePolicy: { deadLetterTargetArn: inbound.deadLetters.queueArn },
    });
    subscription.node.addDependency(inbound);
  }

  private topicMaySend(topic: Topic, queue: Queue): void {
    queue.addToResourcePolicy(
      new PolicyStatement({
        sid: 'NotificationsMayArrive',
        principals: [new ServicePrincipal('sns.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': topic.topicArn } },
      }),
    );
  }
}
