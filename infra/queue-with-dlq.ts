import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { removalPolicy } from './removal.ts';

/** How often a message is tried before it goes to the dead-letter queue. */
const maxReceiveCount = 5;

/** A work queue and the dead-letter queue behind it; both encrypted and reached by TLS only. */
export class QueueWithDlq extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  /**
   * @param props.consumerTimeout timeout of the function that reads the queue. A message stays hidden for six times
   *   as long, so that the retries of a throttled poller cannot hand it to a second reader meanwhile
   *   (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
   */
  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: Settings; readonly consumerTimeout: Duration },
  ) {
    super(scope, id);
    const shared = {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      removalPolicy: removalPolicy(props.settings),
    };
    // A moved message keeps its age, so the dead-letter queue has to hold longer than the queue before it.
    this.deadLetters = new Queue(this, 'DeadLetters', { ...shared, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, 'Queue', {
      ...shared,
      retentionPeriod: Duration.days(4),
      visibilityTimeout: Duration.seconds(6 * props.consumerTimeout.toSeconds()),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount },
    });
  }
}
