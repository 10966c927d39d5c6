import type { ClaimAnswer } from '#protocol/claim.ts';
import type { Task } from '#protocol/task.ts';
import { REAL_CLAIMS, SILENT_TICKS } from './claim-rules.ts';
import type { ClaimRules } from './claim-rules.ts';

/** A rule that is broken on purpose, and how soon the model has to see it. */
export interface ClaimMutant {
  readonly name: string;
  readonly rules: ClaimRules;
  /** The length of the shortest trace to a violation. */
  readonly steps: number;
  readonly wrong: RegExp;
}

const LOST: ClaimAnswer = { won: false };

/** What a rule answers, changed. */
function changed(answer: ClaimAnswer, change: Partial<Task>): ClaimAnswer {
  return answer.won ? { won: true, task: { ...answer.task, ...change } } : LOST;
}

/** The item as it would have to be for whoever asks. */
function pretending(task: Task | undefined, as: Partial<Task>): Task | undefined {
  return task && { ...task, ...as };
}

/** Broken rules of claims. */
export function claimMutants(): readonly ClaimMutant[] {
  return [
    {
      name: 'a claim without a condition: read, then written whatever stands there',
      rules: { ...REAL_CLAIMS, isConditional: false },
      steps: 4,
      wrong: /a change was lost/,
    },
    {
      name: 'a takeover without waiting',
      rules: {
        ...REAL_CLAIMS,
        silent: ({ owner = '', epoch, heartbeat }) => ({ owner, epoch, heartbeat }),
      },
      steps: 5,
      wrong: /gave a sign of life 0 ticks ago/,
    },
    {
      name: 'a takeover by wall clock: the observer is a tick ahead of the holder',
      rules: {
        ...REAL_CLAIMS,
        silent: ({ owner = '', epoch, heartbeat }, { stillTicks }) =>
          stillTicks + 1 >= SILENT_TICKS ? { owner, epoch, heartbeat } : undefined,
      },
      steps: 6,
      wrong: /gave a sign of life 1 ticks ago/,
    },
    {
      name: 'a takeover although the heartbeat moved since it was seen',
      rules: {
        ...REAL_CLAIMS,
        takeover: (task, request) =>
          REAL_CLAIMS.takeover(task, {
            ...request,
            seen: { ...request.seen, heartbeat: task?.heartbeat ?? 0 },
          }),
      },
      steps: 9,
      wrong: /gave a sign of life 0 ticks ago/,
    },
    {
      name: 'a heartbeat that a renewal does not move',
      rules: {
        ...REAL_CLAIMS,
        renew: (task, proof) => changed(REAL_CLAIMS.renew(task, proof), { heartbeat: task?.heartbeat ?? 0 }),
      },
      steps: 9,
      wrong: /gave a sign of life/,
    },
    {
      name: 'a claim that does not raise the epoch',
      rules: {
        ...REAL_CLAIMS,
        claim: (task, request) => changed(REAL_CLAIMS.claim(task, request), { epoch: task?.epoch ?? 0 }),
      },
      steps: 2,
      wrong: /with the old epoch 0/,
    },
    {
      name: 'a takeover that does not raise the epoch',
      rules: {
        ...REAL_CLAIMS,
        takeover: (task, request) =>
          changed(REAL_CLAIMS.takeover(task, request), { epoch: task?.epoch ?? 0 }),
      },
      steps: 7,
      wrong: /with the old epoch 1/,
    },
    {
      name: 'a transfer that does not raise the epoch',
      rules: {
        ...REAL_CLAIMS,
        transfer: (task, request) =>
          changed(REAL_CLAIMS.transfer(task, request), { epoch: task?.epoch ?? 0 }),
      },
      steps: 4,
      wrong: /with the old epoch 1/,
    },
    {
      name: 'a release that begins the epochs anew',
      rules: {
        ...REAL_CLAIMS,
        release: (task, request) => changed(REAL_CLAIMS.release(task, request), { epoch: 0 }),
      },
      steps: 4,
      wrong: /the epoch fell/,
    },
    {
      name: 'a release by somebody who does not hold it any more',
      rules: {
        ...REAL_CLAIMS,
        release: (task, request) => {
          const { owner, epoch } = request;
          const answer = REAL_CLAIMS.release(pretending(task, { owner, epoch }), request);
          return changed(answer, { epoch: task?.epoch ?? 0 });
        },
      },
      steps: 7,
      wrong: /was let in with epoch 1/,
    },
    {
      name: 'a renewal with an epoch that has passed',
      rules: {
        ...REAL_CLAIMS,
        renew: (task, proof) => REAL_CLAIMS.renew(task, { ...proof, epoch: task?.epoch ?? 0 }),
      },
      steps: 7,
      wrong: /was let in with epoch 1/,
    },
    {
      name: 'a claim of what somebody else holds',
      rules: {
        ...REAL_CLAIMS,
        claim: (task, request) =>
          REAL_CLAIMS.claim(pretending(task, { owner: undefined, state: 'needs_action' }), request),
      },
      steps: 4,
      wrong: /claimed what a0 holds/,
    },
    {
      name: 'a claim of which nobody ever says that it is silent',
      rules: { ...REAL_CLAIMS, silent: () => undefined },
      steps: 2,
      wrong: /nobody can ever take over/,
    },
  ];
}
