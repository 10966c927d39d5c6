import { describeKills } from '#test/support/kill-rounds.ts';

const ROUNDS = 3;

// Evenly over the run, from the first moments of the process to its last.
describeKills(
  'killed at any moment and started again, sends a mail at most once',
  Array.from({ length: ROUNDS }, (_, round) => (round + 0.5) / ROUNDS),
);
