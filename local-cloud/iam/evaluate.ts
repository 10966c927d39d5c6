import { compileCondition, type Condition, type ConditionKeys } from './conditions.ts';
import { covers, type Statement } from './policy.ts';
import { arnPattern, wildcard, type Matcher } from './wildcard.ts';

/** Who asks: a role by its ARN, or a service of AWS such as `ses.amazonaws.com`. */
export type Principal = { kind: 'role'; arn: string } | { kind: 'service'; name: string };

/** One permission that a call needs. */
export interface AccessRequest {
  /** `service:Operation` as IAM names it. */
  action: string;
  /** An ARN, or `*` for what has no resource. */
  resource: string;
  keys: ConditionKeys;
}

/** Where a refusal comes from. `explicit` is a deny, else nothing allows it. */
export interface Refusal {
  by: 'identity' | 'boundary' | 'resource';
  explicit: boolean;
}

/** A pair of patterns of one Allow statement, as it was written: the unit in which rights are given. */
export interface Grant {
  action: string;
  resource: string;
}

/** A list of statements, compiled once to be asked for every call. */
export class CompiledPolicy {
  /** Every action of every Allow with each of its resources. */
  readonly grants: readonly Grant[];
  readonly #statements: readonly CompiledStatement[];
  /** Statements by the action that they speak of: few actions are asked for again and again. */
  readonly #byAction = new Map<string, Record<Statement['Effect'], CompiledStatement[]>>();

  /** @throws PolicyUnsupported */
  constructor(statements: readonly Statement[]) {
    this.#statements = statements.map(compile);
    this.grants = this.#statements
      .filter(({ effect }) => effect === 'Allow')
      .flatMap(({ grants }) => grants.map(({ grant }) => grant));
  }

  denies(request: AccessRequest, principal: Principal): boolean {
    return this.#about(request.action).Deny.some((statement) => statement.holdsFor(request, principal));
  }

  allows(request: AccessRequest, principal: Principal): boolean {
    return this.#about(request.action).Allow.some((statement) => statement.holdsFor(request, principal));
  }

  /** The grants by which a request is allowed. */
  grantsFor(request: AccessRequest, principal: Principal): Grant[] {
    return this.#about(request.action)
      .Allow.filter((statement) => statement.holdsFor(request, principal))
      .flatMap(({ grants }) =>
        grants.filter(({ action, resource }) => action(request.action) && resource(request.resource)),
      )
      .map(({ grant }) => grant);
  }

  #about(action: string): Record<Statement['Effect'], CompiledStatement[]> {
    const known = this.#byAction.get(action);
    if (known !== undefined) return known;
    const found = this.#statements.filter((statement) => statement.speaksOf(action));
    const about = {
      Allow: found.filter(({ effect }) => effect === 'Allow'),
      Deny: found.filter(({ effect }) => effect === 'Deny'),
    };
    // Names come from outside, however few there should be.
    if (this.#byAction.size < MAX_ACTIONS) this.#byAction.set(action, about);
    return about;
  }
}

/** What decides on a request: the caller's own policies, the boundary of its role, the resource's policy. */
export interface Policies {
  identity?: CompiledPolicy;
  boundary?: CompiledPolicy;
  resource?: CompiledPolicy;
}

/**
 * Decides as IAM does within one account: a deny anywhere wins; else the identity's or the resource's policy has to
 * allow it, and the boundary too.
 *
 * @returns nothing if it is allowed
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export function evaluate(
  policies: Policies,
  request: AccessRequest,
  principal: Principal,
): Refusal | undefined {
  for (const by of ['resource', 'boundary', 'identity'] as const) {
    if (policies[by]?.denies(request, principal) === true) return { by, explicit: true };
  }
  const granted =
    policies.identity?.allows(request, principal) === true ||
    policies.resource?.allows(request, principal) === true;
  if (!granted) return { by: principal.kind === 'role' ? 'identity' : 'resource', explicit: false };
  if (policies.boundary?.allows(request, principal) === false) return { by: 'boundary', explicit: false };
  return undefined;
}

interface CompiledStatement {
  effect: Statement['Effect'];
  speaksOf: Matcher;
  /** For an action that it speaks of. */
  holdsFor: (request: AccessRequest, principal: Principal) => boolean;
  grants: readonly { action: Matcher; resource: Matcher; grant: Grant }[];
}

const MAX_ACTIONS = 1000;

function compile(statement: Statement): CompiledStatement {
  const resource = oneOf(statement.Resource, arnPattern);
  const notResource = oneOf(statement.NotResource, arnPattern);
  const condition: Condition = compileCondition(statement.Condition ?? {});
  const isMeant = compilePrincipal(statement.Principal);
  return {
    effect: statement.Effect,
    speaksOf: (action) => covers(statement, action),
    holdsFor: (request, principal) =>
      (resource?.(request.resource) ?? notResource?.(request.resource) !== true) &&
      isMeant(principal) &&
      condition(request.keys),
    grants: (statement.Action ?? []).flatMap((written) =>
      (statement.Resource ?? ['*']).map((on) => ({
        action: wildcard(written, 'any case'),
        resource: arnPattern(on),
        grant: { action: written, resource: on },
      })),
    ),
  };
}

function oneOf(
  patterns: readonly string[] | undefined,
  make: (pattern: string) => Matcher,
): Matcher | undefined {
  if (patterns === undefined) return undefined;
  const matchers = patterns.map(make);
  return (text) => matchers.some((matches) => matches(text));
}

/** A policy of an identity names no principal: it is for whoever it is attached to. */
function compilePrincipal(principal: Statement['Principal']): (asking: Principal) => boolean {
  if (principal === undefined || principal === '*') return () => true;
  const { AWS: identities = [], Service: services = [] } = principal;
  // An account as principal hands the decision to the policies of its identities, and grants nothing by itself.
  return (asking) =>
    identities.includes('*') ||
    (asking.kind === 'role' ? identities.includes(asking.arn) : services.includes(asking.name));
}
