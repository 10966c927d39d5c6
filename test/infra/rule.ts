import type { Deployment, Resource } from './deployments.ts';
import { type Statement, statementsOf } from './policy.ts';
import type { Json } from './resolve.ts';

/** One rule about a synthesized deployment, with a way of breaking it that it has to notice. */
export interface Rule {
  readonly name: string;
  /** What is wrong, a line each; empty when the deployment keeps the rule. */
  readonly problems: (deployment: Deployment) => string[];
  /** Breaks the rule in a copy of a deployment. */
  readonly plant: (deployment: Deployment) => void;
  /** The deployment to break, where not every one has what the rule is about. */
  readonly plantIn?: string;
}

/** The value at a dotted path below a resource's properties, such as `Rule.Actions.0.S3Action`. */
export function at(resource: Resource, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((value, key) => {
    if (value === null || typeof value !== 'object') return undefined;
    return (value as Readonly<Record<string, Json>>)[key];
  }, resource.properties);
}

/** Overwrites the value at a dotted path, or removes it when the value is undefined; for planting violations. */
export function put(resource: Resource | undefined, path: string, value: Json | undefined): void {
  if (resource === undefined) throw new Error(`There is nothing to plant ${path} in`);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const parent = keys.reduce(
    (object, key) => object[key] as Record<string, Json>,
    resource.properties as Record<string, Json>,
  );
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
}

/** The resources of a CloudFormation type. */
export function ofType(deployment: Deployment, type: string): Resource[] {
  return deployment.resources.filter((resource) => resource.type === type);
}

/** The first resource of a type whose logical id starts so. */
export function named(deployment: Deployment, type: string, start: string): Resource | undefined {
  return ofType(deployment, type).find(({ id }) => id.startsWith(start));
}

/** A line for each resource of a type and each expected value that it does not have. */
export function unlike(
  resources: readonly Resource[],
  expected: Readonly<Record<string, Json | ((value: Json | undefined) => boolean)>>,
): string[] {
  return resources.flatMap((resource) =>
    Object.entries(expected)
      .filter(([path, wanted]) => {
        const value = at(resource, path);
        return typeof wanted === 'function'
          ? !wanted(value)
          : JSON.stringify(value) !== JSON.stringify(wanted);
      })
      .map(([path]) => `${resource.id}: ${path} is ${JSON.stringify(at(resource, path))}`),
  );
}

/** The name that `resolveTemplates` gives a resource. */
export function nameOf({ stack, id }: Resource): string {
  return `${stack}-${id}`.toLowerCase();
}

/** A value as text; empty when it is none. */
export function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Statements of the policies on a resource, found by the field that names what they are on. */
export function policiesOn(d: Deployment, type: string, field: string, name: string): Statement[] {
  return ofType(d, type)
    .filter((policy) => [at(policy, field)].flat().some((on) => text(on).toLowerCase().endsWith(name)))
    .flatMap((policy) => statementsOf(policy));
}

/** Whether a policy denies everybody whatever does not come by TLS. */
export function refusesPlainHttp(statements: readonly Statement[]): boolean {
  return statements.some(
    ({ Effect, Principal, Condition }) =>
      Effect === 'Deny' &&
      JSON.stringify(Principal).includes('"*"') &&
      Condition?.['Bool']?.['aws:SecureTransport'] === 'false',
  );
}
