import fc from 'fast-check';

/**
 * Properties draw the same examples in every run, so that a change is judged by what it changes. The environment's
 * `PROPERTY_SEED` gives others: a number repeats a run (a failure prints it), `random` looks for what no run has seen.
 */
const { PROPERTY_SEED = '1' } = process.env;
if (PROPERTY_SEED !== 'random') fc.configureGlobal({ seed: Number(PROPERTY_SEED) });
