import { createStsClient } from '#adapters/sts-client.ts';
import { describeStack } from '#adapters/describe-stack.ts';
import { EmployeeError } from '#protocol/errors.ts';
import { UsageError } from './exit-codes.ts';
import { type StackAccess, StackOutputsByName } from './init-stack-file.ts';

/** Which deployed stack, and as whom to read it. */
export interface FromStack {
  /** The deployment's prefix, such as `ai-employee-dev`, or the name of one of its stacks. */
  readonly name: string;
  readonly region?: string | undefined;
  /** The owner's profile. @default the SDK's own chain */
  readonly profile?: string | undefined;
  /** The profile that the agent is to work with. @default the owner's */
  readonly agentProfile?: string | undefined;
  /** Stands in for CloudFormation's own address. */
  readonly endpoint?: string | undefined;
}

/** A deployment as its stacks describe it. */
export interface DeployedStack {
  readonly prefix: string;
  readonly access: StackAccess;
  /** The outputs of all its stacks. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** There is no such stack here, or not all of it. The message says where we looked and what to do. */
export class StackMissingError extends EmployeeError {
  static override readonly code = 'STACK_MISSING';
}

/** The stack is being changed, or its last change failed. The message says which command comes next. */
export class StackNotReadyError extends EmployeeError {
  static override readonly code = 'STACK_NOT_READY';
}

/** Nobody to be in AWS. The message says how to sign in. */
export class NoCredentialsError extends EmployeeError {
  static override readonly code = 'CREDENTIALS';
}

/** Each stack of a deployment by its last word; `init` needs the first, the others tell what comes next. */
const PARTS = ['pipeline', 'storage', 'mail', 'access', 'operations'] as const;
/** Also `UPDATE_ROLLBACK_COMPLETE`: the outputs are those of what runs. */
const READY = /^(CREATE|UPDATE|IMPORT|UPDATE_ROLLBACK|IMPORT_ROLLBACK)_COMPLETE(_CLEANUP_IN_PROGRESS)?$/;

/**
 * Reads the outputs of a deployment's stacks from CloudFormation.
 *
 * @throws {UsageError} {@link StackMissingError} {@link StackNotReadyError} {@link NoCredentialsError}
 */
export async function readDeployedStack(request: FromStack): Promise<DeployedStack> {
  const prefix = request.name.replace(new RegExp(`-(${PARTS.join('|')})$`), '');
  const region = request.region ?? (await regionOf(request.profile));
  const outputs: Record<string, string> = {};
  for (const part of PARTS) {
    const name = `${prefix}-${part}`;
    const found = await described(name, region, request);
    if (found === undefined && part === 'pipeline') throw missing(name, region, request);
    if (found && !READY.test(found.status)) throw notReady(name, found.status, region);
    Object.assign(outputs, found?.outputs);
  }
  const parsed = StackOutputsByName.safeParse(outputs);
  if (!parsed.success) {
    const output = String(parsed.error.issues[0]?.path[0]);
    throw new StackMissingError(
      `${prefix}-pipeline has no output ${output}: deploy it with this version ("npx cdk deploy --all")`,
    );
  }
  const { profile: owner, agentProfile: agent } = request;
  return { prefix, outputs, access: { region, stack: parsed.data, profiles: { owner, agent } } };
}

async function regionOf(profile: string | undefined): Promise<string> {
  const client = createStsClient({ profile });
  try {
    return await client.config.region();
  } catch (cause) {
    throw new UsageError('no region is set: name the one that you deployed to, --region eu-west-1', {
      cause,
    });
  } finally {
    client.destroy();
  }
}

async function described(
  name: string,
  region: string,
  { profile, endpoint }: FromStack,
): ReturnType<typeof describeStack> {
  try {
    return await describeStack(name, { region, profile, endpoint });
  } catch (cause) {
    const { name: kind, message } = cause as Error;
    if (/^(CredentialsProviderError|TokenProviderError)$/.test(kind)) {
      const who =
        profile === undefined ? 'no AWS credentials were found' : `the profile "${profile}" has none`;
      throw new NoCredentialsError(
        `${who} (${message.split('\n')[0]}): sign in ("aws sso login", "aws login"), or name another with --profile`,
        { cause },
      );
    }
    if (codeOf(cause) === 'ENOTFOUND') {
      throw new StackMissingError(
        `CloudFormation has no address in "${region}": check --region, and that this machine is online`,
        { cause },
      );
    }
    throw cause;
  }
}

function missing(name: string, region: string, { profile }: FromStack): StackMissingError {
  const account = profile === undefined ? 'this account' : `the account of the profile "${profile}"`;
  return new StackMissingError(
    `there is no stack ${name} in ${region} of ${account}: deploy it ("npx cdk deploy --all"), or name where it is with --region and --profile`,
  );
}

function notReady(name: string, status: string, region: string): StackNotReadyError {
  const created = status.startsWith('CREATE_') || status.startsWith('REVIEW_') ? 'create' : 'update';
  return new StackNotReadyError(
    status.endsWith('_IN_PROGRESS') && !/ROLLBACK|DELETE/.test(status)
      ? `${name} is still at work (${status}): run this again after "aws cloudformation wait stack-${created}-complete --region ${region} --stack-name ${name}"`
      : `${name} is not deployed (${status}): "aws cloudformation describe-stack-events --region ${region} --stack-name ${name}" tells why; then "npx cdk deploy --all" once more`,
  );
}

function codeOf(error: unknown): unknown {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return code ?? (typeof cause === 'object' && cause !== null ? codeOf(cause) : undefined);
}
