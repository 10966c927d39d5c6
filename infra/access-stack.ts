import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { type IPrincipal, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { CfnProfile, CfnTrustAnchor } from 'aws-cdk-lib/aws-rolesanywhere';
import type { Construct } from 'constructs';
import { AgentBoundary } from './agent-boundary.ts';
import { agentPermissions, type AgentResources } from './agent-permissions.ts';
import { certificatePrincipal, mfaPrincipal, sessionSeconds } from './agent-trust.ts';
import type { Settings } from './config.ts';
import { configurationSetArn, deploymentNames } from './names.ts';
import type { StorageStack } from './storage-stack.ts';

/**
 * How the owner's machine gets in: one role for the local agent, for an hour at a time, held by a boundary. There is
 * no IAM user and no access key. `agentTrust` chooses who may take the role: somebody with a second factor, or an
 * unattended machine by a certificate (IAM Roles Anywhere).
 */
export class AccessStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    settings: Settings,
    props: StackProps & { readonly storage: StorageStack },
  ) {
    const { storage, ...stackProps } = props;
    super(scope, id, stackProps);
    const agent: AgentResources = {
      tasksTable: storage.tasksTable,
      ledgerTable: storage.ledgerTable,
      vaultBucket: storage.vaultBucket,
      archiveBucket: storage.archiveBucket,
      encryptionKey: storage.encryptionKey,
      sendingArns: [
        this.formatArn({ service: 'ses', resource: 'identity', resourceName: settings.mailDomain }),
        configurationSetArn(this, settings),
      ],
      fromAddress: settings.fromAddress,
    };
    const boundary = new AgentBoundary(this, 'AgentBoundary', agent);
    const role = (assumedBy: IPrincipal): Role =>
      new Role(this, 'AgentRole', {
        description: 'AI Employee: the agent on the machine of the owner',
        assumedBy,
        maxSessionDuration: Duration.seconds(sessionSeconds),
        permissionsBoundary: boundary,
        inlinePolicies: { work: new PolicyDocument({ statements: agentPermissions(agent) }) },
      });
    const agentRole =
      settings.agent.trust === 'mfa'
        ? role(mfaPrincipal(this, settings.agent))
        : this.rolesAnywhere(settings, settings.agent, role);
    this.output('AgentRoleArn', agentRole.roleArn, 'The role that the agent works with');
  }

  private rolesAnywhere(
    settings: Settings,
    trust: Settings['agent'] & { trust: 'roles-anywhere' },
    role: (assumedBy: IPrincipal) => Role,
  ): Role {
    const name = `${deploymentNames(settings).prefix}-agent`;
    const anchor = new CfnTrustAnchor(this, 'TrustAnchor', {
      name,
      enabled: true,
      source: {
        sourceType: 'CERTIFICATE_BUNDLE',
        sourceData: { x509CertificateData: trust.caCertificate },
      },
    });
    const principal = certificatePrincipal(anchor, trust.certificateName);
    const agentRole = role(principal);
    // Roles Anywhere passes on the certificate's fields as tags and its serial number as the source identity.
    agentRole.assumeRolePolicy?.addStatements(
      new PolicyStatement({
        actions: ['sts:SetSourceIdentity', 'sts:TagSession'],
        principals: [principal],
      }),
    );
    const profile = new CfnProfile(this, 'Profile', {
      name,
      enabled: true,
      durationSeconds: sessionSeconds,
      roleArns: [agentRole.roleArn],
    });
    this.output('AgentTrustAnchorArn', anchor.attrTrustAnchorArn, 'For aws_signing_helper');
    this.output('AgentProfileArn', profile.attrProfileArn, 'For aws_signing_helper');
    return agentRole;
  }

  private output(name: string, value: string, description: string): void {
    new CfnOutput(this, name, { value, description });
  }
}
