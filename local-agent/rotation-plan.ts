import type { Agent } from './agent.ts';
import type { RotationRequest } from './rotate-keys.ts';

/** What a rotation would do, in words, one line a step. */
export function rotationPlan({ session, keys }: Agent, { compromised }: RotationRequest): string[] {
  const inForce = session.state.keys?.keyEpoch ?? 1;
  const { rotation } = keys;
  const goesOn = rotation ? [`complete the rotation to key epoch ${rotation.keyEpoch}, begun before`] : [];
  if (rotation && (!compromised || rotation.compromised)) return goesOn;
  const keyEpoch = Math.max(inForce, rotation?.keyEpoch ?? 0) + 1;
  const others = (session.state.keys?.writers ?? []).filter(({ zone }) => zone === 'local').length - 1;
  const approved = [...session.state.tasks.values()].filter(({ state }) => state === 'approved').length;
  return [
    ...goesOn,
    `make vault keys of key epoch ${keyEpoch} on this machine, with a copy of the keys as they are`,
    "put them into the cloud zone's secret beside the earlier ones",
    `put key epoch ${keyEpoch} into force by a signed entry of the ledger`,
    ...(compromised
      ? [
          `give the approver and the cloud zone new keys; ${approved} approvals that have not run become void`,
          ...compromised.without.map((name) => `take ${name} out of the machines that may write`),
          'store everything again that is stored outside of the ledger, history included',
          `hand the keys to your ${others - compromised.without.length} other machines yourself: they stop until then`,
        ]
      : [`hand the keys to your ${others} other machines within that entry, sealed with those they have`]),
    'write a checkpoint under the new keys',
  ];
}
