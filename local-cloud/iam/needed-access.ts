import type { AttemptedCall } from '../call-log.ts';
import type { CloudPlan } from '../plan.ts';
import type { AccessRequest } from './evaluate.ts';

/** What a call needs, without the keys that every request has. */
export interface NeededAccess extends AccessRequest {
  /** ARN of the resource whose own policy has a say, where it has one. */
  policyOf?: string;
}

/** What ARNs are made of, and what the templates say of the resources. */
export interface AccessContext {
  region: string;
  accountId: string;
  plan: Pick<CloudPlan, 'tables' | 'secrets' | 'identities' | 'defaultConfigurationSets'>;
}

/** For what has no resource, and for what is not known. */
export function onEverything({ service, operation }: AttemptedCall): NeededAccess {
  return { action: `${service}:${operation}`, resource: '*', keys: {} };
}

/** A text member of a request; empty if it is missing or none. */
export function textOf(input: Readonly<Record<string, unknown>>, member: string): string {
  const value = input[member];
  return typeof value === 'string' ? value : '';
}

/** The keys that have a value. */
export function present(keys: Readonly<Record<string, string | readonly string[]>>): AccessRequest['keys'] {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value.length > 0));
}
