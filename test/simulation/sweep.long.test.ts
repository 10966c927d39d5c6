import { sweepSuite } from './sweep/suite.ts';

// The command takes all.
sweepSuite({ every: 61, pointsAbove: 8, timeoutMs: 120_000 });
