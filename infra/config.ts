import { z } from 'zod';
import { AgentSettings, type AgentTrust, agentTrustOf } from './agent-settings.ts';

const Address = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.email({ error: (issue) => `"${String(issue.input)}" is not an e-mail address` }));

/** A list as JSON in `cdk.context.json`, or comma-separated after `-c`, which can only carry a string. */
const AddressList = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').filter((part) => part.trim() !== '') : value),
  z.array(Address, 'expected e-mail addresses, comma-separated or as a list').min(1, 'at least one address'),
);

const Domain = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/, {
    error: (issue) => `"${String(issue.input)}" is not a domain name, such as example.com`,
  });

/** A number as JSON in `cdk.context.json`, or as text after `-c`. */
function numberSetting(schema: z.ZodType<number>): z.ZodType<number | undefined> {
  return z
    .preprocess(
      (value) => (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value),
      schema,
    )
    .optional();
}

/** How many of a function run at once: two is the least and 1000 the most that SQS event sources take. */
const Concurrency = numberSetting(
  z
    .int('expected a whole number, such as 2')
    .min(2, 'expected at least 2, the least that an SQS event source takes')
    .max(1000, 'expected at most 1000, the most that an SQS event source takes'),
);

const Given = z.object({
  stage: z.enum(['dev', 'prod'], 'expected dev or prod').default('dev'),
  profile: z.enum(['lean', 'full'], 'expected lean or full').default('lean'),
  mailDomain: Domain.default('example.com'),
  recipients: AddressList.optional(),
  fromAddress: Address.optional(),
  ownAddresses: AddressList.optional(),
  mailFromDomain: Domain.optional(),
  dmarcPolicy: z
    .enum(['none', 'quarantine', 'reject'], 'expected none, quarantine or reject')
    .default('quarantine'),
  alarmEmail: Address.optional(),
  monthlyBudgetUsd: numberSetting(
    z.number('expected US dollars, such as 5').positive('expected more than 0'),
  ),
  archiveRetentionDays: numberSetting(
    z
      .int('expected whole days, such as 365')
      .min(1, 'expected at least 1 day')
      .max(36_500, 'expected at most 36500 days'),
  ),
  secretRotationDays: numberSetting(
    z
      .int('expected whole days, such as 30')
      .min(1, 'expected at least 1 day')
      .max(1000, 'expected at most 1000 days, the most that Secrets Manager takes'),
  ),
  triageConcurrency: Concurrency,
  draftConcurrency: Concurrency,
  ...AgentSettings.shape,
});

/**
 * What the owner can set about a deployment, from CDK context (`-c name=value` or `cdk.context.json`).
 *
 * - `stage`: `dev` tears down with its data, `prod` keeps data and is protected from deletion. Default `dev`.
 * - `profile`: `lean` idles at or below $1 a month on keys that AWS owns; `full` adds a customer key and tracing.
 *   Default `lean`.
 * - `mailDomain`: the domain whose mail SES receives. Default `example.com`.
 * - `recipients`: addresses the assistant answers at. Default `assistant@<mailDomain>`.
 * - `fromAddress`: who replies come from. Default: the first recipient.
 * - `ownAddresses`: mail from these is never answered; the assistant's own are always among them.
 *   Default: those and `owner@<mailDomain>`.
 * - `mailFromDomain`: subdomain that bounces return to, so that SPF passes for the owner's own domain.
 *   Default `mail.<mailDomain>`.
 * - `dmarcPolicy`: what the DMARC record asks others to do with mail that only claims to be from the domain: `none`,
 *   `quarantine` or `reject`. Default `quarantine`.
 * - `alarmEmail`: who is told of an alarm, a bounce, or a budget that is used up. Default: nobody is subscribed.
 * - `monthlyBudgetUsd`: what the account may cost a month before `alarmEmail` is told; without that address there is
 *   no budget. Default 5.
 * - `archiveRetentionDays`: how long nobody can remove what was put into the archive. In `prod` not even the owner
 *   of the account can shorten it afterwards. Default 365 in `prod`, 1 in `dev`.
 * - `secretRotationDays`: how old the cloud zone's signing key gets before it is replaced by a new one. Default 30.
 * - `triageConcurrency`, `draftConcurrency`: how many batches of up to ten mails, or drafts, are worked on at once. What
 *   comes beyond that waits in the queue, so a flood of mail costs time and not money; `draftConcurrency` is also what
 *   holds a model's rate. More than 2 mostly race for the same next ledger number. The account's Lambda quota has to
 *   leave 100 unreserved. Default 2 each.
 * - `agentTrust`: who may take the local agent's role. `mfa`: somebody with a second factor, namely `agentPrincipal`
 *   (such as `user/anna`; default: any identity of the account whose own policies allow it). `roles-anywhere`: a
 *   machine with a certificate named `agentCertificateName`, of the authority `agentCaCertificate` (PEM).
 *   Default `mfa`.
 */
export interface Settings {
  readonly stage: 'dev' | 'prod';
  readonly profile: 'lean' | 'full';
  readonly mailDomain: string;
  readonly recipients: readonly [string, ...string[]];
  readonly fromAddress: string;
  readonly ownAddresses: readonly string[];
  readonly mailFromDomain: string;
  readonly dmarcPolicy: 'none' | 'quarantine' | 'reject';
  readonly alarmEmail?: string;
  readonly monthlyBudgetUsd: number;
  readonly archiveRetentionDays: number;
  readonly secretRotationDays: number;
  readonly triageConcurrency: number;
  readonly draftConcurrency: number;
  readonly agent: AgentTrust;
}

/** Settings that cannot be used; the message lists each problem on a line of its own. */
export class InvalidSettingsError extends Error {
  static readonly code = 'INVALID_SETTINGS';
  readonly code = InvalidSettingsError.code;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const list = problems.map((problem) => `  - ${problem}`).join('\n');
    super(
      `The settings of the deployment cannot be used:\n${list}\nSet them with -c name=value or in cdk.context.json.`,
    );
    this.name = 'InvalidSettingsError';
    this.problems = problems;
  }
}

/**
 * Checks CDK context and fills in what was not set.
 *
 * @param context all context of the app; keys with punctuation belong to CDK and its tools and are left alone
 * @throws InvalidSettingsError naming every setting that is unknown, malformed or contradicts another
 */
export function parseSettings(context: Record<string, unknown>): Settings {
  const problems = unknownSettings(context);
  const parsed = Given.safeParse(context);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`));
    throw new InvalidSettingsError(problems);
  }
  const given = parsed.data;
  const [first = `assistant@${given.mailDomain}`, ...others] = unique(given.recipients ?? []);
  const fromAddress = given.fromAddress ?? first;
  for (const [name, address] of [
    ...[first, ...others].map((r) => ['recipients', r]),
    ['fromAddress', fromAddress],
  ]) {
    if (!address?.endsWith(`@${given.mailDomain}`)) {
      problems.push(`${name}: "${address}" is not in the mail domain ${given.mailDomain}`);
    }
  }
  const mailFromDomain = given.mailFromDomain ?? `mail.${given.mailDomain}`;
  if (!mailFromDomain.endsWith(`.${given.mailDomain}`)) {
    problems.push(`mailFromDomain: "${mailFromDomain}" is not a subdomain of ${given.mailDomain}`);
  }
  const agent = agentTrustOf(given, problems);
  if (problems.length > 0 || agent === undefined) throw new InvalidSettingsError(problems);
  const mine = [first, ...others, fromAddress];
  return {
    stage: given.stage,
    profile: given.profile,
    mailDomain: given.mailDomain,
    recipients: [first, ...others],
    fromAddress,
    ownAddresses: unique([...mine, ...(given.ownAddresses ?? [`owner@${given.mailDomain}`])]),
    mailFromDomain,
    dmarcPolicy: given.dmarcPolicy,
    ...(given.alarmEmail === undefined ? {} : { alarmEmail: given.alarmEmail }),
    monthlyBudgetUsd: given.monthlyBudgetUsd ?? 5,
    archiveRetentionDays: given.archiveRetentionDays ?? (given.stage === 'prod' ? 365 : 1),
    secretRotationDays: given.secretRotationDays ?? 30,
    triageConcurrency: given.triageConcurrency ?? 2,
    draftConcurrency: given.draftConcurrency ?? 2,
    agent,
  };
}

// A misspelt `-c profil=full` would otherwise deploy the default without a word.
function unknownSettings(context: Record<string, unknown>): string[] {
  const known = Object.keys(Given.shape);
  return Object.keys(context)
    .filter((key) => /^[A-Za-z]+$/.test(key) && !known.includes(key))
    .map((key) => `${key}: no such setting; there are ${known.join(', ')}`);
}

function unique(addresses: readonly string[]): string[] {
  return [...new Set(addresses)];
}
