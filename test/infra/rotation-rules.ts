import { neverAllowed } from '#infra/zone-boundary.ts';
import type { Deployment, Resource } from './deployments.ts';
import { covers, rolesOf } from './policy.ts';
import type { Json } from './resolve.ts';
import { account, region } from './resolve.ts';
import { at, nameOf, named, ofType, put, sameJson, text, unlike, type Rule } from './rule.ts';

export const SECRET = 'AWS::SecretsManager::Secret';
const SCHEDULE = 'AWS::SecretsManager::RotationSchedule';
const writing = ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'];

/** ARN that `resolveTemplates` gives a secret. */
export function secretArn(secret: Resource): string {
  return `arn:aws:secretsmanager:${region}:${account}:secret:${nameOf(secret)}-AbCdEf`;
}

/** The secret that a schedule is for, and the function that it calls. */
function rotatedBy(d: Deployment, schedule: Resource): { secret?: Resource; rotation?: Resource } {
  const secret = ofType(d, SECRET).find((each) => secretArn(each) === at(schedule, 'SecretId'));
  const rotation = ofType(d, 'AWS::Lambda::Function').find((each) =>
    text(at(schedule, 'RotationLambdaARN')).endsWith(`:function:${nameOf(each)}`),
  );
  return { ...(secret && { secret }), ...(rotation && { rotation }) };
}

/** Whether a resource lets Secrets Manager call a rotation function, for its secret in this account and nothing else. */
export function isRotationPermission(d: Deployment, resource: Resource): boolean {
  const schedule = ofType(d, SCHEDULE).find(
    (each) => at(each, 'RotationLambdaARN') === at(resource, 'FunctionName'),
  );
  return (
    schedule !== undefined &&
    sameJson(resource.properties, {
      Action: 'lambda:InvokeFunction',
      FunctionName: at(schedule, 'RotationLambdaARN'),
      Principal: 'secretsmanager.amazonaws.com',
      SourceAccount: account,
      SourceArn: at(schedule, 'SecretId'),
    })
  );
}

/** Rules about how the cloud zone gets new keys. */
export const rotationRules: readonly Rule[] = [
  {
    name: 'each secret rotates by a schedule, not at the deployment, which has no key yet',
    problems: (d: Deployment): string[] =>
      ofType(d, SECRET)
        .filter((secret) => !ofType(d, SCHEDULE).some((s) => rotatedBy(d, s).secret?.id === secret.id))
        .map(({ id }) => `${id} does not rotate`)
        .concat(
          unlike(ofType(d, SCHEDULE), {
            'RotationRules.AutomaticallyAfterDays': 30,
            RotateImmediatelyOnUpdate: false,
          }),
        ),
    plant: (d) => put(named(d, SCHEDULE, 'Rotate'), 'SecretId', 'arn:aws:secretsmanager:::secret:other'),
  },
  {
    name: 'a rotation function is called by Secrets Manager for its secret alone, one step at a time',
    problems: (d: Deployment): string[] =>
      ofType(d, SCHEDULE).flatMap((schedule) => {
        const { rotation } = rotatedBy(d, schedule);
        if (rotation === undefined) return [`${schedule.id} calls nothing`];
        const permissions = ofType(d, 'AWS::Lambda::Permission').filter((p) => isRotationPermission(d, p));
        return unlike([rotation], { ReservedConcurrentExecutions: 1 }).concat(
          permissions.length === 1 ? [] : [`${rotation.id} cannot be called as it should`],
        );
      }),
    plant: (d) => put(named(d, 'AWS::Lambda::Permission', 'Rotate'), 'SourceAccount', undefined),
  },
  {
    name: 'only rotation may write a secret, and only its own; its boundary holds it to that',
    problems: (d: Deployment): string[] => {
      const own = ofType(d, SCHEDULE).flatMap((s) => {
        const { secret, rotation } = rotatedBy(d, s);
        return secret && rotation ? [{ role: text(at(rotation, 'Role')), secret: secretArn(secret) }] : [];
      });
      return rolesOf(d).flatMap(({ role, granted, boundary = [] }) => {
        const mine = own.find((each) => each.role.endsWith(`:role/${nameOf(role)}`))?.secret;
        const writes = granted.filter(
          (s) => s.Effect === 'Allow' && writing.some((action) => covers(s, action)),
        );
        if (mine === undefined) return writes.map((s) => `${role.id}: ${JSON.stringify(s)}`);
        const isHeld = boundary.some(
          (s) => s.Effect === 'Deny' && sameJson(s.Action, writing) && sameJson(s.NotResource, [mine]),
        );
        return writes
          .filter((s) => !sameJson(s.Resource, [mine]))
          .map((s) => `${role.id}: ${JSON.stringify(s)}`)
          .concat(isHeld ? [] : [`${role.id} could be given another secret`]);
      });
    },
    plant: (d: Deployment): void => {
      const boundary = named(d, 'AWS::IAM::ManagedPolicy', 'RotateBoundary');
      const statements = at(boundary as Resource, 'PolicyDocument.Statement') as readonly Json[];
      const index = statements.findIndex((s) => JSON.stringify(s).includes('NotResource'));
      put(boundary, `PolicyDocument.Statement.${index}.NotResource`, ['*']);
    },
  },
  {
    name: 'the boundary of rotation denies all that the others deny, but to write that secret',
    problems: (d: Deployment): string[] =>
      rolesOf(d)
        .filter(({ role }) => role.id.startsWith('RotateRole'))
        .flatMap(({ boundary = [] }) =>
          Object.values(neverAllowed)
            .flat()
            .filter((action) => !['secretsmanager:Put*', 'secretsmanager:Update*'].includes(action))
            .filter(
              (action) =>
                !boundary.some(
                  (s) =>
                    s.Effect === 'Deny' &&
                    s.Action?.includes(action) === true &&
                    s.Resource?.includes('*') === true &&
                    s.Condition === undefined,
                ),
            ),
        ),
    plant: (d: Deployment): void => {
      const boundary = named(d, 'AWS::IAM::ManagedPolicy', 'RotateBoundary');
      const statements = at(boundary as Resource, 'PolicyDocument.Statement') as readonly Json[];
      const index = statements.findIndex((s) => JSON.stringify(s).includes('DenySending'));
      put(boundary, `PolicyDocument.Statement.${index}.Effect`, 'Allow');
    },
  },
  {
    name: 'a rotation that fails tells somebody',
    problems: (d: Deployment): string[] =>
      ofType(d, SCHEDULE).flatMap((schedule) => {
        const { rotation } = rotatedBy(d, schedule);
        const alarms = ofType(d, 'AWS::CloudWatch::Alarm').filter(
          (alarm) =>
            at(alarm, 'Namespace') === 'AWS/Lambda' &&
            at(alarm, 'MetricName') === 'Errors' &&
            rotation !== undefined &&
            JSON.stringify(at(alarm, 'Dimensions')).includes(`"${nameOf(rotation)}"`) &&
            at(alarm, 'Threshold') === 0 &&
            text(at(alarm, 'AlarmActions.0')).includes('alarms'),
        );
        return alarms.length === 1 ? [] : [`nobody hears when ${schedule.id} fails`];
      }),
    plant: (d) => put(named(d, 'AWS::CloudWatch::Alarm', 'RotateFailed'), 'AlarmActions', []),
  },
];
