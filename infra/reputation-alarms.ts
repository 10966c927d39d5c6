import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

/**
 * Tells the alarm topic when SES is about to review the account: at a bounce rate of 5 % or a complaint rate of
 * 0.1 %. SES judges the account as a whole, hence its own metrics rather than those of the configuration set.
 *
 * @see https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html
 */
export class ReputationAlarms extends Construct {
  constructor(scope: Construct, id: string, props: { readonly topic: ITopic }) {
    super(scope, id);
    const alarm = (name: string, metricName: string, threshold: number, alarmDescription: string): void => {
      new Alarm(this, name, {
        metric: new Metric({
          namespace: 'AWS/SES',
          metricName,
          period: Duration.hours(1),
          statistic: 'Maximum',
        }),
        threshold,
        alarmDescription,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: 1,
        // SES reports only when mail goes out; an alarm stays until a new mail shows that it is over.
        treatMissingData: TreatMissingData.IGNORE,
      }).addAlarmAction(new SnsAction(props.topic));
    };
    alarm(
      'Bounces',
      'Reputation.BounceRate',
      0.05,
      'Sent mail: 5 % or more came back, and SES pauses an account at 10 %. See the bounce notices for the addresses, and pause sending until the cause is known.',
    );
    alarm(
      'Complaints',
      'Reputation.ComplaintRate',
      0.001,
      'Sent mail: 0.1 % or more was called spam, and SES pauses an account at 0.5 %. See the complaint notices, and pause sending until the cause is known.',
    );
  }
}
