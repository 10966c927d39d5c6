import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  CfnConfigurationSet,
  CfnConfigurationSetEventDestination,
  CfnEmailIdentity,
} from 'aws-cdk-lib/aws-ses';
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { configurationSetArn, deploymentNames } from './names.ts';

/** What a person wants to hear of: mail that did not arrive, or that somebody called spam. */
const mishaps = ['bounce', 'complaint', 'deliveryDelay', 'reject', 'renderingFailure'];

/**
 * Who approved mail goes out as: the owner's domain with Easy DKIM and a MAIL FROM of its own, so that both DKIM and
 * SPF pass for that domain, and a configuration set that every mail from the domain goes through.
 *
 * The configuration set insists on TLS, keeps mail from addresses that bounced or complained, and reports mishaps to
 * a topic. Counting each delivery as a CloudWatch metric is charged by the month, so only the full profile does.
 *
 * @see https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-easy.html
 */
export class SendingIdentity extends Construct {
  /** The records that the domain needs, by what they are for; each is a line of a zone file. */
  readonly dnsRecords: Readonly<Record<string, string>>;
  private readonly settings: Settings;

  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: Settings; readonly encryptionKey?: IKey | undefined },
  ) {
    super(scope, id);
    this.settings = props.settings;
    const { mailDomain, mailFromDomain } = props.settings;
    const configurationSet = this.configurationSet();
    this.reportMishaps(configurationSet, props.encryptionKey);
    if (props.settings.profile === 'full') this.countDeliveries(configurationSet);

    const identity = new CfnEmailIdentity(this, 'Identity', {
      emailIdentity: mailDomain,
      dkimAttributes: { signingEnabled: true },
      dkimSigningAttributes: { nextSigningKeyLength: 'RSA_2048_BIT' },
      // Until its MX record stands, mail goes out under SES's own domain rather than not at all.
      mailFromAttributes: { mailFromDomain, behaviorOnMxFailure: 'USE_DEFAULT_VALUE' },
      configurationSetAttributes: { configurationSetName: deploymentNames(props.settings).configurationSet },
    });
    identity.addResourceDependency(configurationSet);
    this.dnsRecords = this.records(identity);
  }

  private configurationSet(): CfnConfigurationSet {
    return new CfnConfigurationSet(this, 'ConfigurationSet', {
      name: deploymentNames(this.settings).configurationSet,
      deliveryOptions: { tlsPolicy: 'REQUIRE' },
      reputationOptions: { reputationMetricsEnabled: true },
      sendingOptions: { sendingEnabled: true },
      suppressionOptions: { suppressedReasons: ['BOUNCE', 'COMPLAINT'] },
    });
  }

  private reportMishaps(configurationSet: CfnConfigurationSet, encryptionKey: IKey | undefined): void {
    const topic = new Topic(this, 'Mishaps', {
      enforceSSL: true,
      ...(encryptionKey && { masterKey: encryptionKey }),
    });
    const stack = Stack.of(this);
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ConfigurationSetMayNotify',
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('ses.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: {
            'aws:SourceAccount': stack.account,
            'aws:SourceArn': configurationSetArn(stack, this.settings),
          },
        },
      }),
    );
    if (this.settings.alarmEmail !== undefined) {
      new Subscription(this, 'MishapMail', {
        topic,
        protocol: SubscriptionProtocol.EMAIL,
        endpoint: this.settings.alarmEmail,
      });
    }
    const destination = this.destination('ToTopic', configurationSet, {
      name: 'mishaps',
      matchingEventTypes: mishaps,
      snsDestination: { topicArn: topic.topicArn },
    });
    // SES tries the topic when the destination is made, and refuses it if it may not publish.
    destination.node.addDependency(topic);
  }

  private countDeliveries(configurationSet: CfnConfigurationSet): void {
    this.destination('ToMetrics', configurationSet, {
      name: 'metrics',
      matchingEventTypes: ['send', 'delivery', ...mishaps],
      cloudWatchDestination: {
        dimensionConfigurations: [
          {
            dimensionName: 'ses:configuration-set',
            dimensionValueSource: 'messageTag',
            defaultDimensionValue: deploymentNames(this.settings).configurationSet,
          },
        ],
      },
    });
  }

  private destination(
    id: string,
    configurationSet: CfnConfigurationSet,
    eventDestination: CfnConfigurationSetEventDestination.EventDestinationProperty,
  ): CfnConfigurationSetEventDestination {
    const { configurationSet: configurationSetName } = deploymentNames(this.settings);
    const destination = new CfnConfigurationSetEventDestination(this, id, {
      configurationSetName,
      eventDestination: { ...eventDestination, enabled: true },
    });
    destination.addResourceDependency(configurationSet);
    return destination;
  }

  private records(identity: CfnEmailIdentity): Readonly<Record<string, string>> {
    const { mailDomain, mailFromDomain, dmarcPolicy } = this.settings;
    const { region } = Stack.of(this);
    const line = (name: string, type: string, value: string): string => `${name}. 300 IN ${type} ${value}`;
    const key = (name: string, value: string): string => line(name, 'CNAME', `${value}.`);
    return {
      DnsDkim1: key(identity.attrDkimDnsTokenName1, identity.attrDkimDnsTokenValue1),
      DnsDkim2: key(identity.attrDkimDnsTokenName2, identity.attrDkimDnsTokenValue2),
      DnsDkim3: key(identity.attrDkimDnsTokenName3, identity.attrDkimDnsTokenValue3),
      DnsMailFromMx: line(mailFromDomain, 'MX', `10 feedback-smtp.${region}.amazonses.com.`),
      DnsMailFromSpf: line(mailFromDomain, 'TXT', '"v=spf1 include:amazonses.com -all"'),
      DnsInboundMx: line(mailDomain, 'MX', `10 inbound-smtp.${region}.amazonaws.com.`),
      DnsDmarc: line(`_dmarc.${mailDomain}`, 'TXT', `"v=DMARC1; p=${dmarcPolicy}"`),
    };
  }
}
