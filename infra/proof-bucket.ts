import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import { Duration, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { trailArn } from './names.ts';
import { SecureBucket, type SecureBucketProps } from './secure-bucket.ts';

/** What would let somebody rewrite, hide or release an object before its time. */
const rewriting = [
  's3:BypassGovernanceRetention',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:PutObjectLegalHold',
  // Also keeps a writer from putting an object with a shorter retention than the bucket's own.
  's3:PutObjectRetention',
];

/** What the buckets that keep proof have in common with {@link SecureBucketProps}. */
export type ProofBucketProps = Omit<SecureBucketProps, 'objectLock' | 'keepOldVersionsDays'>;

/**
 * A bucket whose objects nobody removes before their retention ends, by Object Lock and by the bucket's own policy;
 * whoever writes needs `s3:PutObject` and gets nothing more.
 *
 * In `dev` the lock is in governance mode: the owner can take the policy off and clear up. In `prod` it is in
 * compliance mode, which not even the root user of the account can shorten.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
export class ArchiveBucket extends SecureBucket {
  constructor(scope: Construct, id: string, props: ProofBucketProps) {
    const { stage, archiveRetentionDays } = props.settings;
    const retention = Duration.days(archiveRetentionDays);
    super(scope, id, {
      ...props,
      keepOldVersionsDays: archiveRetentionDays,
      objectLock:
        stage === 'prod'
          ? ObjectLockRetention.compliance(retention)
          : ObjectLockRetention.governance(retention),
    });
    refuseRewriting(this);
  }
}

/**
 * Where CloudTrail puts its log files and the digests that prove them whole; nobody else may write, and nobody may
 * remove a log file before it expires.
 *
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
 */
export class TrailBucket extends SecureBucket {
  constructor(scope: Construct, id: string, props: ProofBucketProps) {
    super(scope, id, { ...props, keepOldVersionsDays: 30 });
    const stack = Stack.of(this);
    const arn = trailArn(stack, props.settings);
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailMayLook',
        principals: [new ServicePrincipal('cloudtrail.amazonaws.com')],
        actions: ['s3:GetBucketAcl'],
        resources: [this.bucketArn],
        conditions: { StringEquals: { 'aws:SourceArn': arn } },
      }),
    );
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailMayDeliver',
        principals: [new ServicePrincipal('cloudtrail.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [this.arnForObjects(`AWSLogs/${stack.account}/*`)],
        conditions: {
          StringEquals: { 'aws:SourceArn': arn, 's3:x-amz-acl': 'bucket-owner-full-control' },
        },
      }),
    );
    refuseRewriting(this);
  }
}

function refuseRewriting(bucket: SecureBucket): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'NobodyRewrites',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: rewriting,
      resources: [bucket.arnForObjects('*')],
    }),
  );
}
