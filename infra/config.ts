import { z } from 'zod';

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

const Given = z.object({
  stage: z.enum(['dev', 'prod'], 'expected dev or prod').default('dev'),
  profile: z.enum(['lean', 'full'], 'expected lean or full').default('lean'),
  mailDomain: Domain.default('example.com'),
  recipients: AddressList.optional(),
  fromAddress: Address.optional(),
  ownAddresses: AddressList.optional(),
  alarmEmail: Address.optional(),
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
 * - `alarmEmail`: who is told of an alarm. Default: nobody is subscribed.
 */
export interface Settings {
  readonly stage: 'dev' | 'prod';
  readonly profile: 'lean' | 'full';
  readonly mailDomain: string;
  readonly recipients: readonly [string, ...string[]];
  readonly fromAddress: string;
  readonly ownAddresses: readonly string[];
  readonly alarmEmail?: string;
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
  if (problems.length > 0) throw new InvalidSettingsError(problems);
  const mine = [first, ...others, fromAddress];
  return {
    stage: given.stage,
    profile: given.profile,
    mailDomain: given.mailDomain,
    recipients: [first, ...others],
    fromAddress,
    ownAddresses: unique([...mine, ...(given.ownAddresses ?? [`owner@${given.mailDomain}`])]),
    ...(given.alarmEmail === undefined ? {} : { alarmEmail: given.alarmEmail }),
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
