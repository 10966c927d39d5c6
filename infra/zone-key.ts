import { Key } from 'aws-cdk-lib/aws-kms';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { trailArn } from './names.ts';
import { removalPolicy } from './removal.ts';

/**
 * The customer key of the full profile, over tables, buckets, topics and the vault secret. Identities of this account
 * use it as their own policies allow; besides them SES (which stores mail and announces it) and CloudWatch (which
 * publishes alarms) may, for this account only, and CloudTrail for the log files of this deployment's trail.
 */
export class ZoneKey extends Key {
  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id, {
      description: 'AI Employee: data of the cloud zone at rest',
      enableKeyRotation: true,
      removalPolicy: removalPolicy(settings),
    });
    for (const service of ['ses.amazonaws.com', 'cloudwatch.amazonaws.com']) {
      this.addToResourcePolicy(
        new PolicyStatement({
          principals: [new ServicePrincipal(service)],
          actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
          resources: ['*'],
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
        }),
      );
    }
    // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
    const arn = trailArn(Stack.of(this), settings);
    const trailMay = (action: string, conditions: Readonly<Record<string, unknown>>): PolicyStatement =>
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudtrail.amazonaws.com')],
        actions: [action],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceArn': arn, ...conditions } },
      });
    this.addToResourcePolicy(
      trailMay('kms:GenerateDataKey', { 'kms:EncryptionContext:aws:cloudtrail:arn': arn }),
    );
    this.addToResourcePolicy(trailMay('kms:DescribeKey', {}));
  }
}
