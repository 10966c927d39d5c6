import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  type ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { removalPolicy } from './removal.ts';

/** What differs from bucket to bucket. */
export interface SecureBucketProps {
  readonly settings: Settings;
  /** Days until a current object is removed; without it objects stay. */
  readonly expireAfterDays?: number;
  /** Days until a replaced or deleted version is removed. */
  readonly keepOldVersionsDays: number;
  /** Where requests to this bucket are logged; the log bucket itself has none. */
  readonly accessLogs?: { readonly bucket: IBucket; readonly prefix: string };
  /** A customer key; without it S3's own keys are used. */
  readonly encryptionKey?: IKey | undefined;
  /** How long each object is locked from when it is put; without it none is. */
  readonly objectLock?: ObjectLockRetention;
}

/**
 * A bucket that is private, encrypted, versioned, reached by TLS 1.2 or newer only, owned by this account whoever
 * writes, and that does not collect old versions or aborted uploads for ever.
 */
export class SecureBucket extends Bucket {
  constructor(scope: Construct, id: string, props: SecureBucketProps) {
    super(scope, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      ...(props.encryptionKey === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey: props.encryptionKey, bucketKeyEnabled: true }),
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      removalPolicy: removalPolicy(props.settings),
      ...(props.accessLogs && {
        serverAccessLogsBucket: props.accessLogs.bucket,
        serverAccessLogsPrefix: props.accessLogs.prefix,
      }),
      ...(props.objectLock && { objectLockDefaultRetention: props.objectLock }),
      lifecycleRules: [
        {
          id: 'tidy',
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          noncurrentVersionExpiration: Duration.days(props.keepOldVersionsDays),
          ...(props.expireAfterDays === undefined
            ? { expiredObjectDeleteMarker: true }
            : { expiration: Duration.days(props.expireAfterDays) }),
        },
      ],
    });
  }
}
