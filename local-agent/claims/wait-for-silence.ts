import type { SeenClaim } from '#protocol/claim.ts';
import { shortId } from '#protocol/ids.ts';
import type { Agent } from '../agent.ts';
import { ClaimRefusedError } from './claim-errors.ts';
import { SilenceWatch, silenceMs } from './silence-watch.ts';

const LOOK_MS = 5_000;

/**
 * Watches the claim of another holder until it gave no sign of life for its whole lease.
 *
 * @returns the claim as it was seen, or `undefined` when nobody else holds the task.
 * @throws {ClaimRefusedError} as soon as the holder moves: it lives.
 */
export async function waitForSilence(
  agent: Pick<Agent, 'tasks' | 'clock' | 'config' | 'log'>,
  taskId: string,
  lookMs = LOOK_MS,
): Promise<SeenClaim | undefined> {
  const watch = new SilenceWatch();
  let first: SeenClaim | undefined;
  for (;;) {
    const askedMs = agent.clock.monotonicMs();
    const item = await agent.tasks.get(taskId);
    if (item?.owner === undefined || item.owner === agent.config.agent) return undefined;
    const { owner, epoch, heartbeat } = item;
    if (!first) {
      first = { owner, epoch, heartbeat };
      agent.log(`watching the claim of ${owner} for ${Math.ceil(silenceMs(item) / 1000)} s …`);
    }
    if (first.owner !== owner || first.epoch !== epoch || first.heartbeat !== heartbeat) {
      throw new ClaimRefusedError(
        `${shortId(taskId)} was not taken over: ${owner} gave a sign of life. Hand it over there with "employee transfer"`,
      );
    }
    const dead = watch.look(item, askedMs, agent.clock.monotonicMs());
    if (dead) return dead;
    await agent.clock.sleep?.(lookMs);
  }
}
