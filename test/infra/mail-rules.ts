import type { Deployment, Resource } from './deployments.ts';
import { statementsOf } from './policy.ts';
import { account, region } from './resolve.ts';
import {
  at,
  nameOf,
  named,
  ofType,
  policiesOn,
  put,
  refusesPlainHttp,
  sameJson,
  text,
  unlike,
  type Rule,
} from './rule.ts';

const receiptRule = ({ stage }: Deployment): string =>
  `arn:aws:ses:${region}:${account}:receipt-rule-set/ai-employee-${stage}:receipt-rule/assistant`;
const isSource = ({ id }: Resource): boolean => !id.includes('DeadLetters');

/** Rules about how mail comes in, queues and their alarms. */
export const mailRules: readonly Rule[] = [
  {
    name: 'only the receipt rule of this account may write to the inbound bucket, and only under its prefix',
    problems: (d: Deployment): string[] => {
      const allowed = statementsOf(named(d, 'AWS::S3::BucketPolicy', 'InboundPolicy') as Resource).filter(
        ({ Effect }) => Effect === 'Allow',
      );
      const wanted = {
        Principal: { Service: ['ses.amazonaws.com'] },
        Action: ['s3:PutObject'],
        Resource: [`arn:aws:s3:::ai-employee-${d.stage}-storage-inboundada8bfe6/inbound/*`],
        Condition: { StringEquals: { 'aws:SourceAccount': account, 'aws:SourceArn': receiptRule(d) } },
      };
      return allowed
        .filter(({ Effect: _effect, Sid: _sid, ...rest }) => !sameJson(rest, wanted))
        .map((statement) => JSON.stringify(statement))
        .concat(allowed.length === 1 ? [] : [`${allowed.length} statements allow something`]);
    },
    plant: (d) =>
      put(
        named(d, 'AWS::S3::BucketPolicy', 'InboundPolicy'),
        'PolicyDocument.Statement.2.Condition.StringEquals.aws:SourceArn',
        undefined,
      ),
  },
  {
    name: 'the receipt rule scans, insists on TLS, names its recipients, and reports through the topic',
    problems: (d) =>
      unlike(ofType(d, 'AWS::SES::ReceiptRule'), {
        RuleSetName: `ai-employee-${d.stage}`,
        'Rule.Name': 'assistant',
        'Rule.Enabled': true,
        'Rule.ScanEnabled': true,
        'Rule.TlsPolicy': 'Require',
        'Rule.Recipients': ['assistant@example.com'],
        'Rule.Actions.0.S3Action.ObjectKeyPrefix': 'inbound/',
        'Rule.Actions.0.S3Action.TopicArn': (arn) => text(arn).includes('notifications'),
        'Rule.Actions.1': (more) => more === undefined,
      }).concat(ofType(d, 'AWS::SES::ReceiptRule').length === 1 ? [] : ['there is not exactly one rule']),
    plant: (d) => put(named(d, 'AWS::SES::ReceiptRule', 'Rule'), 'Rule.ScanEnabled', false),
  },
  {
    name: 'each topic refuses plain HTTP, and only the service it is for may publish, for this account',
    problems: (d) =>
      ofType(d, 'AWS::SNS::Topic').flatMap((topic) => {
        const on = policiesOn(d, 'AWS::SNS::TopicPolicy', 'Topics', nameOf(topic));
        const service = topic.id.startsWith('Alarms') ? 'cloudwatch.amazonaws.com' : 'ses.amazonaws.com';
        const allowed = on.filter(({ Effect }) => Effect === 'Allow');
        const wellAllowed = allowed.filter(
          ({ Principal, Action, Condition }) =>
            sameJson(Principal, { Service: [service] }) &&
            sameJson(Action, ['sns:Publish']) &&
            Condition?.['StringEquals']?.['aws:SourceAccount'] === account &&
            JSON.stringify(Condition).includes('aws:SourceArn'),
        );
        const encrypted = (at(topic, 'KmsMasterKeyId') !== undefined) === (d.profile === 'full');
        return [
          ...(refusesPlainHttp(on) ? [] : [`${topic.id} takes plain HTTP`]),
          ...(allowed.length === 1 && wellAllowed.length === 1
            ? []
            : [`${topic.id}: ${JSON.stringify(allowed)}`]),
          ...(encrypted ? [] : [`${topic.id} has the wrong key for its profile`]),
        ];
      }),
    plant: (d) =>
      put(named(d, 'AWS::SNS::TopicPolicy', 'Alarms'), 'PolicyDocument.Statement.1.Principal', '*'),
  },
  {
    name: 'notifications reach the inbound queue raw, and what cannot be delivered reaches its dead-letter queue',
    problems: (d) =>
      unlike(
        ofType(d, 'AWS::SNS::Subscription').filter((subscription) => at(subscription, 'Protocol') === 'sqs'),
        {
          Endpoint: (arn) => /inboundmailqueue/.test(text(arn)),
          RawMessageDelivery: true,
          'RedrivePolicy.deadLetterTargetArn': (arn) => /inboundmaildeadletters/.test(text(arn)),
        },
      ),
    plant: (d) => put(named(d, 'AWS::SNS::Subscription', 'Subscription'), 'RawMessageDelivery', false),
  },
  {
    name: 'each queue is encrypted and refuses plain HTTP',
    problems: (d) =>
      unlike(ofType(d, 'AWS::SQS::Queue'), { SqsManagedSseEnabled: true }).concat(
        ofType(d, 'AWS::SQS::Queue')
          .filter(
            (queue) => !refusesPlainHttp(policiesOn(d, 'AWS::SQS::QueuePolicy', 'Queues', nameOf(queue))),
          )
          .map(({ id }) => `${id} takes plain HTTP`),
      ),
    plant: (d) => put(named(d, 'AWS::SQS::Queue', 'DraftingQueue'), 'SqsManagedSseEnabled', false),
  },
  {
    name: 'each queue gives up after five tries or more, into a dead-letter queue that keeps 14 days',
    problems: (d) =>
      unlike(ofType(d, 'AWS::SQS::Queue').filter(isSource), {
        'RedrivePolicy.deadLetterTargetArn': (arn) => text(arn).includes('deadletters'),
        'RedrivePolicy.maxReceiveCount': (count) => Number(count) >= 5,
      }).concat(
        unlike(
          ofType(d, 'AWS::SQS::Queue').filter((queue) => !isSource(queue)),
          { MessageRetentionPeriod: 14 * 24 * 3600 },
        ),
      ),
    plant: (d) => put(named(d, 'AWS::SQS::Queue', 'InboundMailQueue'), 'RedrivePolicy.maxReceiveCount', 1),
  },
  {
    name: 'an alarm that tells somebody stands on each dead-letter queue and on the age of each oldest message',
    problems: (d) =>
      ofType(d, 'AWS::SQS::Queue').flatMap((queue) => {
        const metric = isSource(queue)
          ? 'ApproximateAgeOfOldestMessage'
          : 'ApproximateNumberOfMessagesVisible';
        const alarms = ofType(d, 'AWS::CloudWatch::Alarm').filter(
          (alarm) =>
            at(alarm, 'MetricName') === metric &&
            at(alarm, 'Dimensions.0.Value') === nameOf(queue) &&
            text(at(alarm, 'AlarmActions.0')).includes('alarms') &&
            at(alarm, 'TreatMissingData') === 'notBreaching' &&
            text(at(alarm, 'AlarmDescription')).length > 40,
        );
        return alarms.length === 1 ? [] : [`${queue.id} has ${alarms.length} alarms on ${metric}`];
      }),
    plant: (d) => put(named(d, 'AWS::CloudWatch::Alarm', 'InboundAlarmsGivenUp'), 'AlarmActions', []),
  },
  {
    name: 'whoever is named for alarms is subscribed to them',
    problems: (d) =>
      ofType(d, 'AWS::SNS::Subscription').some(
        (s) =>
          at(s, 'Protocol') === 'email' &&
          at(s, 'Endpoint') === 'owner@example.com' &&
          text(at(s, 'TopicArn')).includes('alarms'),
      )
        ? []
        : ['nobody is'],
    plant: (d) => put(named(d, 'AWS::SNS::Subscription', 'AlarmMail'), 'Endpoint', 'nobody@example.com'),
  },
];
