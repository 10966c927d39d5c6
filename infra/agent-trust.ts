import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, ArnPrincipal, type IPrincipal, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnTrustAnchor } from 'aws-cdk-lib/aws-rolesanywhere';
import type { Settings } from './config.ts';

/** A session of the agent's role ends after this, and a second factor counts for as long. */
export const sessionSeconds = 3600;

/**
 * Whoever showed a second factor within the last hour: the principal that the settings name, or any identity of this
 * account that its own policies let. `Bool`, not `BoolIfExists`: the latter lets through calls by a plain access key,
 * which carry no such fact.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
 */
export function mfaPrincipal(stack: Stack, trust: Settings['agent'] & { trust: 'mfa' }): IPrincipal {
  const principal =
    trust.principal === undefined
      ? new AccountRootPrincipal()
      : new ArnPrincipal(
          stack.formatArn({
            service: 'iam',
            region: '',
            resource: trust.principal,
            arnFormat: ArnFormat.NO_RESOURCE_NAME,
          }),
        );
  return principal.withConditions({
    Bool: { 'aws:MultiFactorAuthPresent': 'true' },
    NumericLessThanEquals: { 'aws:MultiFactorAuthAge': String(sessionSeconds) },
  });
}

/**
 * IAM Roles Anywhere, for a certificate of the owner's own authority with exactly this name. The condition on the
 * trust anchor keeps out every other anchor of the account.
 *
 * @see https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
 */
export function certificatePrincipal(anchor: CfnTrustAnchor, certificateName: string): IPrincipal {
  return new ServicePrincipal('rolesanywhere.amazonaws.com').withConditions({
    ArnEquals: { 'aws:SourceArn': anchor.attrTrustAnchorArn },
    StringEquals: { 'aws:PrincipalTag/x509Subject/CN': certificateName },
  });
}
