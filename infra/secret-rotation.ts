import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { CfnPermission } from 'aws-cdk-lib/aws-lambda';
import { CfnRotationSchedule } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { RotationBoundary } from './rotation-boundary.ts';
import { type WatchedFunctionPart, ZoneFunction } from './zone-function.ts';
import { rotatePermissions } from './zone-permissions.ts';

/**
 * Gives the cloud zone a new signing key every `secretRotationDays`: the schedule, the function that does it with a role
 * and a boundary of its own, and an alarm when it fails.
 */
export class SecretRotation extends Construct {
  constructor(scope: Construct, id: string, props: WatchedFunctionPart) {
    super(scope, id);
    const { zone, alarmTopic, ...part } = props;
    const { settings, logGroup } = part;
    const secretArn = zone.vaultSecret.secretArn;
    const boundary = new RotationBoundary(this, 'Boundary', {
      zone,
      logGroupArns: [logGroup.logGroupArn],
      tracing: settings.profile === 'full',
    });
    // Named like this construct: so CDK takes a child that is called Default.
    const { function: rotation } = new ZoneFunction(this, 'Default', {
      ...part,
      boundary,
      description: 'Gives the cloud zone a new signing key; the only function that may write its secret',
      permissions: rotatePermissions(zone),
    });
    // Not by `addRotationSchedule`: that puts the schedule beside the secret, whose stack this one depends on.
    const permission = new CfnPermission(this, 'SecretsManagerMayCall', {
      action: 'lambda:InvokeFunction',
      functionName: rotation.functionArn,
      principal: 'secretsmanager.amazonaws.com',
      sourceAccount: Stack.of(this).account,
      sourceArn: secretArn,
    });
    new CfnRotationSchedule(this, 'Schedule', {
      secretId: secretArn,
      rotationLambdaArn: rotation.functionArn,
      rotationRules: { automaticallyAfterDays: settings.secretRotationDays },
      // There is no key to rotate before `employee init` has put one there.
      rotateImmediatelyOnUpdate: false,
    }).addResourceDependency(permission);
    new Alarm(this, 'Failed', {
      metric: rotation.metricErrors({ period: Duration.minutes(5), statistic: 'Sum' }),
      threshold: 0,
      alarmDescription:
        "Key rotation: a step failed. Mail goes on with the key of before. See the log of the function Rotate for the reason; once it is mended, 'aws secretsmanager rotate-secret' with the secret's ARN takes the rotation up again.",
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    }).addAlarmAction(new SnsAction(alarmTopic));
  }
}
