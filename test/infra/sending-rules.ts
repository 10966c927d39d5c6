import type { Deployment, Resource } from './deployments.ts';
import { account, region } from './resolve.ts';
import { at, nameOf, named, ofType, policiesOn, put, sameJson, text, unlike, type Rule } from './rule.ts';

const configurationSet = ({ stage }: Deployment): string => `ai-employee-${stage}`;
const destination = (d: Deployment, name: string): Resource[] =>
  ofType(d, 'AWS::SES::ConfigurationSetEventDestination').filter(
    (resource) => at(resource, 'EventDestination.Name') === name,
  );

/** Rules about who mail goes out as, and what is heard of it afterwards. */
export const sendingRules: readonly Rule[] = [
  {
    name: 'mail goes out as the domain, signed by it, with a MAIL FROM below it, through the configuration set',
    problems: (d) =>
      unlike(ofType(d, 'AWS::SES::EmailIdentity'), {
        EmailIdentity: 'example.com',
        'DkimAttributes.SigningEnabled': true,
        'DkimSigningAttributes.NextSigningKeyLength': 'RSA_2048_BIT',
        'MailFromAttributes.MailFromDomain': 'mail.example.com',
        'ConfigurationSetAttributes.ConfigurationSetName': configurationSet(d),
      }).concat(exactly(1, ofType(d, 'AWS::SES::EmailIdentity'), 'identity')),
    plant: (d) => put(named(d, 'AWS::SES::EmailIdentity', 'Sending'), 'MailFromAttributes', undefined),
  },
  {
    name: 'sent mail needs TLS, is measured, and never goes again to who bounced or complained',
    problems: (d) =>
      unlike(ofType(d, 'AWS::SES::ConfigurationSet'), {
        Name: configurationSet(d),
        'DeliveryOptions.TlsPolicy': 'REQUIRE',
        'ReputationOptions.ReputationMetricsEnabled': true,
        'SuppressionOptions.SuppressedReasons': ['BOUNCE', 'COMPLAINT'],
      }).concat(exactly(1, ofType(d, 'AWS::SES::ConfigurationSet'), 'configuration set')),
    plant: (d) =>
      put(named(d, 'AWS::SES::ConfigurationSet', 'Sending'), 'SuppressionOptions.SuppressedReasons', [
        'BOUNCE',
      ]),
  },
  {
    name: 'what did not arrive is told to the topic of mishaps, by this configuration set alone',
    problems: (d: Deployment): string[] => {
      const [topic] = ofType(d, 'AWS::SNS::Topic').filter(({ id }) => id.includes('Mishaps'));
      if (topic === undefined) return ['there is no topic of mishaps'];
      const arn = `arn:aws:sns:${region}:${account}:${nameOf(topic)}`;
      const sources = policiesOn(d, 'AWS::SNS::TopicPolicy', 'Topics', nameOf(topic))
        .filter(({ Effect }) => Effect === 'Allow')
        .map(({ Condition }) => Condition?.['StringEquals']?.['aws:SourceArn']);
      const wanted = `arn:aws:ses:${region}:${account}:configuration-set/${configurationSet(d)}`;
      return unlike(destination(d, 'mishaps'), {
        ConfigurationSetName: configurationSet(d),
        'EventDestination.Enabled': true,
        'EventDestination.MatchingEventTypes': (types) =>
          ['bounce', 'complaint', 'reject'].every((type) => JSON.stringify(types).includes(`"${type}"`)),
        'EventDestination.SnsDestination.TopicARN': arn,
      })
        .concat(exactly(1, destination(d, 'mishaps'), 'destination'))
        .concat(sameJson(sources, [wanted]) ? [] : [`may publish: ${JSON.stringify(sources)}`])
        .concat(
          ofType(d, 'AWS::SNS::Subscription').some(
            (s) => at(s, 'TopicArn') === arn && at(s, 'Endpoint') === 'owner@example.com',
          )
            ? []
            : ['nobody is told'],
        );
    },
    plant: (d) => put(destination(d, 'mishaps')[0], 'EventDestination.MatchingEventTypes', ['bounce']),
  },
  {
    name: 'each delivery is counted as a metric in the full profile, and only there, as metrics are charged monthly',
    problems: (d) =>
      unlike(destination(d, 'metrics'), {
        'EventDestination.Enabled': true,
        'EventDestination.CloudWatchDestination.DimensionConfigurations.0.DimensionName':
          'ses:configuration-set',
      }).concat(exactly(d.profile === 'full' ? 1 : 0, destination(d, 'metrics'), 'destination')),
    plant: (d) => put(destination(d, 'metrics')[0], 'EventDestination.Enabled', false),
    plantIn: 'prod full',
  },
  {
    name: 'an alarm stands on a bounce rate of 5 % and on a complaint rate of 0.1 %, and stays until it is over',
    problems: (d) =>
      [
        { metric: 'Reputation.BounceRate', threshold: 0.05 },
        { metric: 'Reputation.ComplaintRate', threshold: 0.001 },
      ].flatMap(({ metric, threshold }) => {
        const alarms = ofType(d, 'AWS::CloudWatch::Alarm').filter((a) => at(a, 'MetricName') === metric);
        return unlike(alarms, {
          Namespace: 'AWS/SES',
          Threshold: threshold,
          ComparisonOperator: 'GreaterThanOrEqualToThreshold',
          // Of the account, which is what SES pauses.
          Dimensions: (value) => value === undefined,
          TreatMissingData: 'ignore',
          'AlarmActions.0': (arn) => text(arn).includes('alarms'),
          AlarmDescription: (words) => text(words).length > 40,
        }).concat(exactly(1, alarms, `alarm on ${metric}`));
      }),
    plant: (d) => put(named(d, 'AWS::CloudWatch::Alarm', 'ReputationComplaints'), 'Threshold', 0.05),
  },
  {
    name: 'the records for the domain are put out as lines of a zone file, and so is how to switch receiving on',
    problems: ({ stage, mailOutputs }: Deployment): string[] => {
      const line = (record: string): string => record.replace(' ', '. 300 IN ');
      const wanted: Readonly<Record<string, string>> = {
        ...Object.fromEntries(
          [1, 2, 3].map((n) => [
            `DnsDkim${n}`,
            line(`dkimdnstokenname${n}.example.com CNAME dkimdnstokenvalue${n}.example.com.`),
          ]),
        ),
        DnsMailFromMx: line(`mail.example.com MX 10 feedback-smtp.${region}.amazonses.com.`),
        DnsMailFromSpf: line('mail.example.com TXT "v=spf1 include:amazonses.com -all"'),
        DnsInboundMx: line(`example.com MX 10 inbound-smtp.${region}.amazonaws.com.`),
        DnsDmarc: line('_dmarc.example.com TXT "v=DMARC1; p=quarantine"'),
        ActivateReceiptRuleSet: `aws ses set-active-receipt-rule-set --region ${region} --rule-set-name ai-employee-${stage}`,
        CheckReceiptRuleSet: `aws ses describe-active-receipt-rule-set --region ${region} --query Metadata.Name --output text`,
      };
      return [...new Set([...Object.keys(wanted), ...Object.keys(mailOutputs)])]
        .filter((name) => mailOutputs[name] !== wanted[name])
        .map((name) => `${name} is ${JSON.stringify(mailOutputs[name])}`);
    },
    plant: ({ mailOutputs }: Deployment): void => {
      mailOutputs['DnsDmarc'] = '_dmarc.example.com. 300 IN TXT "v=DMARC1; p=none"';
    },
  },
];

function exactly(count: number, found: readonly unknown[], what: string): string[] {
  return found.length === count ? [] : [`${found.length} times: ${what}`];
}
