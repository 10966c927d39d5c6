import { describe, it } from 'vitest';
import { CLAIM_SCENES, dieEverywhere } from '#test/support/claim-scenes.ts';

describe('F19 dying before and after every step', () => {
  it.each(Object.entries(CLAIM_SCENES))(
    'of a %s, and two restarts, end in one state that all agree on',
    (_name, scene) => dieEverywhere(scene, () => ['before', 'after']),
  );
});
