import type { Refusal, VaultState } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { UsageError } from './exit-codes.ts';

/** An entry that readers refused because nobody honest writes it, and whether a person has looked at it. */
export interface Incident extends Refusal {
  readonly acknowledged: boolean;
}

/** All incidents of the ledger, oldest first. */
export function incidentsOf({ refusals, acknowledged }: VaultState): Incident[] {
  return refusals
    .filter(({ severity }) => severity === 'incident')
    .map((refusal) => ({ ...refusal, acknowledged: acknowledged.has(refusal.n) }));
}

/**
 * Writes down, signed, that a person has looked at incidents: `verify` and `status` go on listing them and
 * no longer fail for them. Nothing that was refused takes effect by it. Those acknowledged before are left
 * out, so that doing it twice says it once.
 *
 * @param entries the numbers of the refused entries.
 * @returns the numbers that were acknowledged now.
 * @throws {UsageError} when one of them is no incident: a broken ledger cannot be acknowledged away.
 */
export async function acknowledgeIncidents(
  agent: Agent,
  entries: readonly number[],
  reason: string,
): Promise<number[]> {
  await agent.session.pull();
  const known = new Set(incidentsOf(agent.session.state).map(({ n }) => n));
  const wrong = entries.filter((n) => !known.has(n));
  if (wrong.length > 0) {
    throw new UsageError(
      `entry ${wrong.join(', ')} is no refused entry of this ledger; "employee incidents" lists those there are`,
    );
  }
  let fresh: number[] = [];
  await agent.session.append(({ acknowledged }) => {
    fresh = [...new Set(entries)].filter((n) => !acknowledged.has(n)).sort((a, b) => a - b);
    if (fresh.length === 0) return undefined;
    return { ring: 'private', body: { kind: 'override', reason, what: { of: 'incident', entries: fresh } } };
  });
  return fresh;
}
