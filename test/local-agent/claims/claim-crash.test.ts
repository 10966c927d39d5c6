import { describe, it } from 'vitest';
import { CLAIM_SCENES, dieEverywhere } from '#test/support/claim-scenes.ts';

// Each call once; the long run looks at both sides of every call.
describe('F19 dying at any step', () => {
  it.each(Object.entries(CLAIM_SCENES))(
    'of a %s, and two restarts, end in one state that all agree on',
    { timeout: 120_000 },
    (_name, scene) => dieEverywhere(scene, (at) => [at % 2 === 0 ? 'before' : 'after']),
  );
});
