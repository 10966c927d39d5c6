import type { AttemptedCall, Denied, Intercept } from '../call-log.ts';
import { credentialsOf } from '../credentials.ts';
import type { CloudPlan, PlannedFunction } from '../plan.ts';
import type { AccessPlan, PlannedRole } from './access-plan.ts';
import { CompiledPolicy, evaluate, type AccessRequest, type Grant, type Principal } from './evaluate.ts';
import type { AccessContext } from './needed-access.ts';
import { refusalMessage } from './refusal.ts';
import { accessOf } from './requests.ts';

/** A grant of a role that this local cloud runs something with. */
export interface RoleGrant extends Grant {
  /** The function's name in the templates, or `agent`. */
  caller: string;
}

/** Checks every call against the policies that its caller would have in AWS. */
export interface Enforcement {
  /** Refuses what the caller may not do. Callers without a role here (the owner, the platform) may do all. */
  readonly intercept: Intercept;
  /** Every grant of the roles that are enforced here, and whether a call has needed it so far. */
  readonly grants: () => (RoleGrant & { used: boolean })[];
  /** The session that an access key stands for; undefined without a role. */
  readonly sessionArn: (accessKeyId: string) => string | undefined;
}

/** An event source whose function may not take messages from the queue, or read the stream; AWS refuses to create such a one. */
export class EventSourceRefused extends Error {
  static readonly code = 'EVENT_SOURCE_REFUSED';

  constructor(functionName: string, operation: string, service: string, reason: string) {
    super(
      `${functionName}: its role does not have permissions to call ${operation} on ${service}. ${reason}`,
    );
    this.name = 'EventSourceRefused';
  }
}

/** What Lambda does with a queue in the name of the function. */
const POLLING = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
/** The same with the stream of a table. */
const STREAMING = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];

/** The caller under which a function's queue is polled: Lambda does that with the function's role. */
export function pollerOf({ caller }: Pick<PlannedFunction, 'caller'>): string {
  return `${caller}Poller`;
}

interface Caller {
  name: string;
  sessionArn: string;
  principal: Principal;
  identity: CompiledPolicy;
  boundary?: CompiledPolicy;
  keys: Readonly<Record<string, string>>;
  used: Set<string>;
}

/**
 * Puts the policies of an assembly into force. Each function has the role of its template, its poller the same one;
 * the owner's agent has the role whose logical id begins with `AgentRole`, if there is one.
 *
 * Calls count as coming by TLS, as an SDK's would in AWS; on loopback they do not.
 * @throws EventSourceRefused if a function's role does not let Lambda work off its queue
 * @throws PolicyUnsupported if a policy says what cannot be evaluated
 */
export function enforce(
  access: AccessPlan,
  plan: CloudPlan,
  place: { region: string; accountId: string },
): Enforcement {
  const context: AccessContext = { ...place, plan };
  const callers = new Map<string, Caller>();
  const add = (names: readonly string[], role: PlannedRole, session: string): void => {
    const caller = callerWith(role, names[0] ?? '', session, place);
    for (const name of names) callers.set(credentialsOf(name).accessKeyId, caller);
  };
  for (const planned of plan.functions) {
    const role = access.roles.find(({ arn }) => arn === planned.roleArn);
    if (role !== undefined) add([planned.caller, pollerOf(planned)], role, planned.name);
  }
  const agentRole = access.roles.find(({ logicalId }) => logicalId.startsWith('AgentRole'));
  if (agentRole !== undefined) add(['agent'], agentRole, 'agent');
  const resources = new Map(
    [...access.resources].map(([arn, statements]) => [arn, new CompiledPolicy(statements)]),
  );

  const intercept = (call: AttemptedCall): Denied | undefined => {
    const caller = callers.get(call.accessKeyId);
    if (caller === undefined) return undefined;
    const { identity, boundary, principal } = caller;
    for (const needed of accessOf(call, context)) {
      const request: AccessRequest = { ...needed, keys: { ...caller.keys, ...needed.keys } };
      const resource = resources.get(needed.policyOf ?? '');
      const policies = { identity, ...(boundary && { boundary }), ...(resource && { resource }) };
      const refusal = evaluate(policies, request, principal);
      if (refusal !== undefined) {
        return { message: refusalMessage(call.service, caller.sessionArn, request, refusal) };
      }
      for (const grant of identity.grantsFor(request, principal)) caller.used.add(keyOf(grant));
    }
    return undefined;
  };
  checkEventSources(plan, intercept);
  return {
    intercept,
    sessionArn: (accessKeyId) => callers.get(accessKeyId)?.sessionArn,
    grants: () =>
      [...new Set(callers.values())].flatMap(({ name, identity, used }) =>
        identity.grants.map((grant) => ({ caller: name, ...grant, used: used.has(keyOf(grant)) })),
      ),
  };
}

function checkEventSources(plan: CloudPlan, intercept: Intercept): void {
  const check = (
    functionName: string,
    operations: readonly string[],
    service: 'sqs' | 'dynamodb',
    input: Record<string, unknown>,
  ): void => {
    const planned = plan.functions.find(({ name }) => name === functionName);
    if (planned === undefined) return;
    const { accessKeyId } = credentialsOf(pollerOf(planned));
    for (const operation of operations) {
      const denied = intercept({ service, operation, accessKeyId, region: '', at: '', requestId: '', input });
      if (denied === undefined) continue;
      throw new EventSourceRefused(
        functionName,
        operation,
        service === 'sqs' ? 'SQS' : 'DynamoDB',
        denied.message,
      );
    }
  };
  for (const { functionName, queueArn } of plan.eventSources) {
    check(functionName, POLLING, 'sqs', { QueueUrl: plan.queues.find(({ arn }) => arn === queueArn)?.url });
  }
  for (const { functionName, streamArn } of plan.streamSources)
    check(functionName, STREAMING, 'dynamodb', { StreamArn: streamArn });
}

function callerWith(
  role: PlannedRole,
  name: string,
  session: string,
  { region, accountId }: { region: string; accountId: string },
): Caller {
  return {
    name,
    sessionArn: `arn:aws:sts::${accountId}:assumed-role/${role.name}/${session}`,
    principal: { kind: 'role', arn: role.arn },
    identity: new CompiledPolicy(role.identity),
    ...(role.boundary && { boundary: new CompiledPolicy(role.boundary) }),
    keys: {
      'aws:securetransport': 'true',
      's3:tlsversion': '1.3',
      'aws:principalarn': role.arn,
      'aws:principalaccount': accountId,
      'aws:resourceaccount': accountId,
      'aws:requestedregion': region,
    },
    used: new Set(),
  };
}

function keyOf({ action, resource }: Grant): string {
  return `${action} ${resource}`;
}
