import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { QueueWithDlq } from './queue-with-dlq.ts';

/** How old a message may get before somebody is told. Past two failed tries, well before the fifth. */
const oldestMessage = Duration.minutes(15);

/** Tells the alarm topic when a queue's work is given up (dead-letter queue) or not being done (oldest message). */
export class QueueAlarms extends Construct {
  /** @param props.work what waits in the queue, in plain words, for the text of the alarm */
  constructor(
    scope: Construct,
    id: string,
    props: { readonly queues: QueueWithDlq; readonly work: string; readonly topic: ITopic },
  ) {
    super(scope, id);
    const { queues, work, topic } = props;
    const alarm = (name: string, metric: Metric, threshold: number, alarmDescription: string): void => {
      new Alarm(this, name, {
        metric,
        threshold,
        alarmDescription,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 1,
        // A queue that nobody uses reports nothing, which is well.
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }).addAlarmAction(new SnsAction(topic));
    };
    alarm(
      'GivenUp',
      queues.deadLetters.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(1),
        statistic: 'Maximum',
      }),
      0,
      `${work}: given up after five tries and waiting in the dead-letter queue. Nothing is lost; see the function's log, mend the cause, redrive the queue.`,
    );
    alarm(
      'Late',
      queues.queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5), statistic: 'Maximum' }),
      oldestMessage.toSeconds(),
      `${work}: the oldest has waited for more than ${oldestMessage.toMinutes()} minutes. See the function's errors, throttles and concurrency.`,
    );
  }
}
