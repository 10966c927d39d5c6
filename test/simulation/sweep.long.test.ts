import { sweepSuite } from './sweep/suite.ts';

// The command takes all.
sweepSuite({ every: 41, pointsAbove: 20, timeoutMs: 120_000 });
