import { X509Certificate } from 'node:crypto';
import { z } from 'zod';

/** Settings about who may take the local agent's role, as they are given. */
export const AgentSettings = z.object({
  agentTrust: z.enum(['mfa', 'roles-anywhere'], 'expected mfa or roles-anywhere').default('mfa'),
  agentPrincipal: z
    .string()
    .regex(/^(user|role)\/[\w+=,.@/-]{1,512}$/, 'expected a user or role of this account, such as user/anna')
    .optional(),
  agentCaCertificate: z
    .string()
    .transform(withLines)
    .refine(isAuthority, 'expected the certificate of an authority with an RSA or EC key, as PEM text')
    .optional(),
  agentCertificateName: z
    .string()
    .regex(/^[^*?$\s]([^*?$\r\n]{0,62}[^*?$\s])?$/, 'expected a common name (CN) without wildcards')
    .optional(),
});

/** Who may take the local agent's role. */
export type AgentTrust =
  | { readonly trust: 'mfa'; readonly principal?: string }
  | { readonly trust: 'roles-anywhere'; readonly caCertificate: string; readonly certificateName: string };

/**
 * Checks what was given for one kind of trust. A setting of the other kind would otherwise be taken for one that is
 * in force.
 *
 * @param problems takes a line for each setting that is missing or has no meaning
 * @returns undefined when one that is needed is missing
 */
export function agentTrustOf(
  given: z.output<typeof AgentSettings>,
  problems: string[],
): AgentTrust | undefined {
  const { agentTrust: trust, agentPrincipal: principal, agentCaCertificate, agentCertificateName } = given;
  const certificate = { agentCaCertificate, agentCertificateName };
  const [needed, unwanted] =
    trust === 'mfa' ? [{}, certificate] : [certificate, { agentPrincipal: principal }];
  for (const [name, value] of Object.entries(needed)) {
    if (value === undefined) problems.push(`${name}: needed with agentTrust=${trust}`);
  }
  for (const [name, value] of Object.entries(unwanted)) {
    if (value !== undefined) problems.push(`${name}: has no meaning with agentTrust=${trust}`);
  }
  if (trust === 'mfa') return { trust, ...(principal !== undefined && { principal }) };
  if (agentCaCertificate === undefined || agentCertificateName === undefined) return undefined;
  return { trust, caCertificate: agentCaCertificate, certificateName: agentCertificateName };
}

// The command line of CDK cuts what comes after `-c` at the first line break, so there the text has to come without.
function withLines(pem: string): string {
  const [, base64] =
    /^\s*-----BEGIN CERTIFICATE-----([\w+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(pem) ?? [];
  const lines = base64?.replace(/\s+/g, '').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----'].join('\n');
}

// Roles Anywhere takes no other keys: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
function isAuthority(pem: string): boolean {
  try {
    const { ca, publicKey } = new X509Certificate(pem);
    return ca && /^(rsa|ec)$/.test(publicKey.asymmetricKeyType ?? '');
  } catch {
    return false;
  }
}
