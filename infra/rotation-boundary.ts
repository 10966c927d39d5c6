import { Effect, ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { blobsPrefix } from './names.ts';
import { atMost, type BoundaryProps, denials, neverAllowed, sharedStatements } from './zone-boundary.ts';
import { rotationActions } from './zone-permissions.ts';

/**
 * The permissions boundary of the role that rotates the secret: the same explicit denials, but that it may give this one
 * secret a new version and move its stages.
 */
export class RotationBoundary extends ManagedPolicy {
  constructor(scope: Construct, id: string, props: BoundaryProps) {
    const { zone } = props;
    const { DenyKeys = [], ...others } = neverAllowed;
    super(scope, id, {
      description: 'AI Employee: the most that the rotation of the secret can do',
      statements: [
        atMost(['dynamodb:PutItem', 'dynamodb:Query'], [zone.ledgerTable.tableArn]),
        atMost(['s3:GetObject'], [zone.vaultBucket.arnForObjects(`${blobsPrefix}*`)]),
        atMost(rotationActions, [zone.vaultSecret.secretArn]),
        ...sharedStatements(props),
        ...denials({
          ...others,
          DenyKeys: DenyKeys.flatMap((action) => {
            if (action === 'secretsmanager:Put*') return ['secretsmanager:PutResourcePolicy'];
            return action === 'secretsmanager:Update*' ? ['secretsmanager:UpdateSecret'] : [action];
          }),
        }),
        new PolicyStatement({
          sid: 'DenyOtherSecrets',
          effect: Effect.DENY,
          actions: ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
          notResources: [zone.vaultSecret.secretArn],
        }),
      ],
    });
  }
}
