import { sweepSuite } from './sweep/suite.ts';

// The long test takes more, the command all.
sweepSuite({ every: 251, pointsAbove: 2 });
