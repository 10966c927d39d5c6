import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { deploymentNames } from './names.ts';

/**
 * Every read and write of an object in the vault and in the archive, as CloudTrail saw it, in log files that a chain
 * of signed digests proves whole (`aws cloudtrail validate-logs`).
 *
 * In both profiles: data events cost $0.10 per 100,000 and nothing while idle, and a mail makes some tens of them.
 * Management events are left out; the account's event history has them for 90 days, and a second copy would be charged
 * by the event in an account that has a trail already.
 */
export class DataTrail extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly settings: Settings;
      readonly watched: readonly IBucket[];
      readonly logs: IBucket;
      readonly encryptionKey?: IKey | undefined;
    },
  ) {
    super(scope, id);
    new CfnTrail(this, 'Trail', {
      trailName: deploymentNames(props.settings).trail,
      s3BucketName: props.logs.bucketName,
      isLogging: true,
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
      enableLogFileValidation: true,
      ...(props.encryptionKey && { kmsKeyId: props.encryptionKey.keyArn }),
      advancedEventSelectors: [
        {
          name: 'objects of vault and archive',
          fieldSelectors: [
            { field: 'eventCategory', equalTo: ['Data'] },
            { field: 'resources.type', equalTo: ['AWS::S3::Object'] },
            { field: 'resources.ARN', startsWith: props.watched.map((bucket) => bucket.arnForObjects('')) },
          ],
        },
      ],
    });
  }
}
