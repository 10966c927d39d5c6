import { sweepSuite } from './sweep/suite.ts';

// The long test takes more, the command all.
sweepSuite({ every: 397, pointsAbove: 2 });
