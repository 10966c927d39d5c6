import type { Command } from './claim-machine.ts';

/** The machine that takes no part, and takes what is held when all is over. */
export const RESCUER = 'tablet';

/** What happens to one task, and at how many machines. */
export interface MachineScene {
  /** The task waits in Needs_Action, or was approved at the first machine. */
  readonly task: 'waiting' | 'approved';
  readonly machines: Readonly<Record<string, readonly Command[]>>;
  readonly losses: number;
  readonly deaths: number;
}

type Scene = Omit<MachineScene, 'losses' | 'deaths'>;

/** What two machines do with one task at the same time. */
export const SCENES = {
  'two claims': { task: 'waiting', machines: { laptop: ['claim', 'release'], desktop: ['claim'] } },
  'takeover of a draft': {
    task: 'waiting',
    machines: { laptop: ['claim', 'release'], desktop: ['look', 'take over to work'] },
  },
  transfer: {
    task: 'waiting',
    machines: { laptop: ['claim', { transferTo: 'desktop' }], desktop: ['claim', 'release'] },
  },
  'takeover of an execution': {
    task: 'approved',
    machines: { laptop: ['execute'], desktop: ['look', 'take over to settle'] },
  },
} as const satisfies Record<string, Scene>;

/** A smaller one, for more failures. */
export const CLAIM_AND_TAKEOVER = {
  task: 'waiting',
  machines: { laptop: ['claim'], desktop: ['look', 'take over to work'] },
} as const satisfies Scene;

/** One machine with its own failures. */
export const EXECUTION = {
  task: 'approved',
  machines: { laptop: ['execute'] },
} as const satisfies Scene;

/** What three do. */
export const THREE = {
  'three claims': {
    task: 'waiting',
    machines: { laptop: ['claim'], desktop: ['claim'], phone: ['look', 'take over to work'] },
  },
  'a takeover of an execution, and a claim': {
    task: 'approved',
    machines: { laptop: ['execute'], desktop: ['look', 'take over to settle'], phone: ['claim'] },
  },
} as const satisfies Record<string, Scene>;
