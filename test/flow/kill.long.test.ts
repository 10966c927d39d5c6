import { describeKills } from '#test/support/kill-rounds.ts';

const ROUNDS = 40;

// Where the effect is: the first third of a run is the start of the process.
describeKills(
  'killed at forty moments around the effect, sends a mail at most once',
  Array.from({ length: ROUNDS }, (_, round) => 0.35 + (0.65 * round) / ROUNDS),
);
