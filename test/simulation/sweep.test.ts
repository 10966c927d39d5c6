import { sweepSuite } from './sweep/suite.ts';

// The long test takes more, the command all.
sweepSuite({ every: 503, pointsAbove: 0 });
