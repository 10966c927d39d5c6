import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { agentPermissions, type AgentResources } from './agent-permissions.ts';
import { deny } from './statements.ts';
import { neverAllowed } from './zone-boundary.ts';

/** What the agent may do although no role of the cloud zone may: one way of sending, one way of clearing up. */
const except: Readonly<Record<string, readonly string[]>> = {
  'ses:Send*': [
    'ses:SendBounce',
    'ses:SendBulk*',
    'ses:SendCustom*',
    'ses:SendEmail',
    'ses:SendTemplatedEmail',
  ],
  's3:Delete*': ['s3:DeleteBucket*', 's3:DeleteObjectTagging', 's3:DeleteObjectVersion*'],
};

/**
 * The permissions boundary of the local agent's role: its work and no more, whatever a later policy grants, and
 * explicitly none of what the cloud zone may never do, but for the exceptions above.
 */
export class AgentBoundary extends ManagedPolicy {
  constructor(scope: Construct, id: string, agent: AgentResources) {
    super(scope, id, {
      description: 'AI Employee: the most that the agent on the machine of the owner can do',
      statements: [
        ...agentPermissions(agent),
        ...Object.entries(neverAllowed).map(([sid, actions]) =>
          deny(
            sid,
            actions.flatMap((action) => except[action] ?? [action]),
            ['*'],
          ),
        ),
        deny('DenySecrets', ['secretsmanager:GetSecretValue'], ['*']),
        deny('DenyChangingTheLedger', ['dynamodb:UpdateItem'], [agent.ledgerTable.tableArn]),
      ],
    });
  }
}
