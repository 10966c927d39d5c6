import { afterEach } from 'vitest';
import { createFlowWorld, type FlowOptions, type FlowWorld } from './flow-world.ts';

/** What the tests of a file start worlds with; each is closed after the test that started it. */
export interface FlowStarts {
  /** Starts a world of its own. */
  readonly start: (options?: FlowOptions) => Promise<FlowWorld>;
  /** What else is to be done after the test, the last first. */
  readonly cleanUp: (() => Promise<void>)[];
}

/** For the top of a test file, whose every test it cleans up after. */
export function flowStarts(): FlowStarts {
  const cleanUp: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const each of cleanUp.splice(0).reverse()) await each();
  });
  return {
    cleanUp,
    async start(options = {}) {
      const world = await createFlowWorld(options);
      cleanUp.push(() => world.close());
      return world;
    },
  };
}

/** A mail that asks for the opening hours. @param id makes it another mail. */
export function openingHours(id = 'hours'): string {
  return [
    'From: Alice <alice@pinewood.example>',
    'To: assistant@example.com',
    'Subject: Opening hours',
    `Message-ID: <${id}@pinewood.example>`,
    '',
    'When are you open on Friday?',
    '',
  ].join('\r\n');
}
