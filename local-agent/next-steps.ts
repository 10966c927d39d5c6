import type { DeployedStack } from './init-from-stack.ts';

/** Something that is left to the owner, with the lines to paste or to run. */
export interface NextStep {
  readonly title: string;
  readonly lines: readonly string[];
}

/**
 * What a person has to do between the set-up of an agent and the first mail, from the outputs of the deployment.
 * Each step may be done twice.
 *
 * @see docs/deploy.md
 */
export function nextSteps({ prefix, access, outputs }: DeployedStack): NextStep[] {
  const { region, stack, profiles } = access;
  const asOwner = (command: string): string =>
    profiles?.owner === undefined ? command : `${command} --profile ${profiles.owner}`;
  const ses = (command: string): string => asOwner(`aws sesv2 ${command} --region ${region}`);
  const domain = stack.fromAddress.slice(stack.fromAddress.lastIndexOf('@') + 1);
  const records = Object.keys(outputs)
    .filter((name) => name.startsWith('Dns'))
    .map((name) => outputs[name] ?? '');
  const activate = outputs['ActivateReceiptRuleSet'];
  const check = outputs['CheckReceiptRuleSet'];
  return [
    ...(profiles?.agent === undefined ? roleSteps(prefix, access, outputs) : []),
    {
      title: `Put these records into the DNS zone of ${domain}. The MX of ${domain} itself takes all of its mail`,
      lines: records,
    },
    {
      title: 'Wait until SES has found them (minutes to a day): both have to say SUCCESS',
      lines: [
        ses(
          `get-email-identity --email-identity ${domain} --query '[DkimAttributes.Status,MailFromAttributes.MailFromDomainStatus]'`,
        ),
      ],
    },
    {
      title: 'While this says false, SES delivers to verified addresses only: ask to leave its sandbox',
      lines: [
        ses('get-account --query ProductionAccessEnabled'),
        ses(
          `put-account-details --production-access-enabled --mail-type TRANSACTIONAL --website-url https://${domain} --use-case-description 'Answers to mail that people send us, each approved by a person'`,
        ),
      ],
    },
    {
      title: "Let mail in: this takes the place of the region's active receipt rule set",
      lines: [activate, check].filter((line) => line !== undefined).map(asOwner),
    },
    { title: 'Start the agent', lines: ['npx employee run'] },
    {
      title: 'See that mail comes in: this says what to send, and waits for it',
      lines: ['npx employee canary'],
    },
  ].filter(({ lines }) => lines.length > 0);
}

/** How an agent comes to work with its own role instead of all that its owner may do. */
function roleSteps(
  prefix: string,
  { region, profiles }: DeployedStack['access'],
  outputs: DeployedStack['outputs'],
): NextStep[] {
  const { AgentRoleArn: role, AgentTrustAnchorArn: trustAnchor, AgentProfileArn: rolesProfile } = outputs;
  if (role === undefined) return [];
  const owner = profiles?.owner ?? 'default';
  const account = role.split(':')[4] ?? '';
  const name = `${prefix}-agent`;
  const lines =
    trustAnchor === undefined || rolesProfile === undefined
      ? [
          `[profile ${name}-mfa]`,
          `role_arn = ${role}`,
          `source_profile = ${owner}`,
          `mfa_serial = arn:aws:iam::${account}:mfa/NAME-OF-YOUR-DEVICE`,
          'duration_seconds = 3600',
          `[profile ${name}]`,
          `region = ${region}`,
          `credential_process = aws configure export-credentials --profile ${name}-mfa --format process`,
        ]
      : [
          `[profile ${name}]`,
          `region = ${region}`,
          `credential_process = aws_signing_helper credential-process --certificate CERTIFICATE.pem --private-key KEY.pem --trust-anchor-arn ${trustAnchor} --profile-arn ${rolesProfile} --role-arn ${role}`,
        ];
  return [
    { title: 'Give the agent a role of its own, for an hour at a time: into ~/.aws/config', lines },
    {
      title: 'and then once more',
      lines: [
        ...(trustAnchor === undefined ? [`aws sts get-caller-identity --profile ${name}-mfa`] : []),
        `npx employee init --from-stack ${prefix} --region ${region}${profiles?.owner === undefined ? '' : ` --profile ${profiles.owner}`} --agent-profile ${name}`,
      ],
    },
  ];
}
