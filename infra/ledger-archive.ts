import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ArchiveBoundary } from './archive-boundary.ts';
import { type WatchedFunctionPart, ZoneFunction } from './zone-function.ts';
import { archivePermissions } from './zone-permissions.ts';

/** What archiving needs of the stack it is in. */
export interface LedgerArchiveProps extends WatchedFunctionPart {
  /** Of the ledger's table. */
  readonly streamArn: string;
  readonly archive: IBucket;
}

/** A stream keeps what was not taken for a day; somebody has to know long before. */
const late = Duration.hours(1);

/**
 * Copies each entry of the ledger to the archive, as the stream of its table tells of it: the function with a role and a
 * boundary of its own, and an alarm when it does not get on.
 *
 * What fails is tried again until it goes, for as long as the stream has it; a batch is halved meanwhile, so that one
 * record cannot hold up the others.
 */
export class LedgerArchive extends Construct {
  constructor(scope: Construct, id: string, props: LedgerArchiveProps) {
    super(scope, id);
    const { zone, streamArn, archive, alarmTopic, ...part } = props;
    const { settings, logGroup } = part;
    const boundary = new ArchiveBoundary(this, 'Boundary', {
      zone,
      streamArn,
      archive,
      logGroupArns: [logGroup.logGroupArn],
      tracing: settings.profile === 'full',
    });
    // Named like this construct: so CDK takes a child that is called Default.
    const { function: archiver } = new ZoneFunction(this, 'Default', {
      ...part,
      boundary,
      description:
        'Copies the entries of the ledger where nobody can take them back; can put objects and nothing else',
      permissions: archivePermissions(streamArn, archive, zone.encryptionKey),
    });
    new EventSourceMapping(this, 'Stream', {
      target: archiver,
      eventSourceArn: streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      maxBatchingWindow: Duration.seconds(5),
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
    });
    new Alarm(this, 'Late', {
      // Not among CDK's own metrics of a function.
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'IteratorAge',
        dimensionsMap: { FunctionName: archiver.functionName },
        period: Duration.minutes(5),
        statistic: 'Maximum',
      }),
      threshold: late.toMilliseconds(),
      alarmDescription:
        'Archive: entries of the ledger wait for more than an hour to be copied. The ledger itself is whole, and the stream keeps them for a day. See the log of the function Archive for the reason.',
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // No new entry, no age.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(alarmTopic));
  }
}
