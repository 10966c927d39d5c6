import type { ClaimProof } from '#protocol/claim.ts';
import type { TaskStore } from '#protocol/ports.ts';

/**
 * Does work under a claim and renews the claim meanwhile, so that nobody takes a slow holder for a dead
 * one. A renewal that fails is tried again with the next beat; one that is refused means that the claim is
 * lost, and is the last. The work goes on in both cases: what it has begun cannot be taken back.
 *
 * @param everyMs a third of the lease, so that two beats may get lost.
 */
export async function withHeartbeat<T>(
  tasks: Pick<TaskStore, 'renew'>,
  proof: ClaimProof,
  everyMs: number,
  work: () => Promise<T>,
): Promise<T> {
  let beat: Promise<void> = Promise.resolve();
  let isBeating = false;
  const timer = setInterval(() => {
    if (isBeating) return;
    isBeating = true;
    beat = tasks
      .renew(proof)
      .then(({ won }) => {
        if (!won) clearInterval(timer);
      })
      .catch(() => undefined)
      .finally(() => {
        isBeating = false;
      });
  }, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    // What follows puts the claim down: a renewal that is still on its way would come after it.
    await beat;
  }
}
