import { sweepSuite } from './sweep/suite.ts';

// The command takes all.
sweepSuite({ every: 61, pointsAbove: 15, timeoutMs: 120_000 });
