import { describe, expect, it } from 'vitest';
import { withHeartbeat } from '#local-agent/claims/heartbeat.ts';
import type { ClaimAnswer } from '#protocol/claim.ts';

const PROOF = { taskId: 't3f9c1a20000000000000', owner: 'laptop', epoch: 3 };

/** A store that answers renewals one after the other, and work that ends when told. */
function scene(answers: readonly (boolean | Error)[]): {
  tasks: { renew(): Promise<ClaimAnswer> };
  renewed: () => number;
  reached: (count: number) => Promise<void>;
} {
  let count = 0;
  const waiters: { count: number; go: () => void }[] = [];
  return {
    tasks: {
      renew: () => {
        const answer = answers[Math.min(count, answers.length - 1)];
        count += 1;
        for (const waiter of waiters) if (count >= waiter.count) waiter.go();
        if (answer instanceof Error) return Promise.reject(answer);
        return Promise.resolve({ won: answer } as ClaimAnswer);
      },
    },
    renewed: () => count,
    reached: (wanted) =>
      new Promise((resolve) => {
        waiters.push({ count: wanted, go: resolve });
      }),
  };
}

describe('work under a claim', () => {
  it('renews while it goes on, also after a renewal that failed, and not after its end', async () => {
    const { tasks, renewed, reached } = scene([true, new Error('no network'), true]);
    const result = await withHeartbeat(tasks, PROOF, 1, async () => {
      await reached(4);
      return 'done';
    });
    expect(result).toBe('done');
    const after = renewed();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(renewed()).toBe(after);
  });

  it('goes on when the claim is lost, and renews no more', async () => {
    const { tasks, renewed, reached } = scene([true, false, true]);
    const result = await withHeartbeat(tasks, PROOF, 1, async () => {
      await reached(2);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 'done';
    });
    expect([result, renewed()]).toEqual(['done', 2]);
  });

  it('stops renewing when it throws', async () => {
    const { tasks, renewed, reached } = scene([true]);
    const work = withHeartbeat(tasks, PROOF, 1, async () => {
      await reached(1);
      throw new Error('broke');
    });
    await expect(work).rejects.toThrow('broke');
    const after = renewed();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(renewed()).toBe(after);
  });
});
