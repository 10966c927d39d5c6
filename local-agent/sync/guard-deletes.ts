import { z } from 'zod';
import { EmployeeError } from '#protocol/errors.ts';
import { jsonOf } from '#protocol/json-of.ts';
import type { Agent } from '../agent.ts';

const FACT = 'deletes';
const Window = z.object({ since: z.string(), gone: z.int().nonnegative() });
/** A slow deletion is seen by many syncs, each of which sees a part of it. */
const WINDOW_MS = 60 * 60 * 1000;
/** Of fewer files, half of them is no mass. */
const MIN_FILES = 10;

/** So many files vanished at once that a mistake is likelier than a wish. */
export class MassDeleteError extends EmployeeError {
  static override readonly code = 'MASS_DELETE';
}

/**
 * Stops when, with what was deleted in the hour before, more than half of the files would be gone.
 *
 * @throws {MassDeleteError}
 */
export function guardDeletes(agent: Pick<Agent, 'clock' | 'copy'>, gone: number): void {
  const before = windowOf(agent)?.gone ?? 0;
  const all = agent.copy.allAgreed().size + before;
  if (gone === 0 || all < MIN_FILES || before + gone <= all / 2) return;
  throw new MassDeleteError(
    `${before + gone} of ${all} files are gone from the vault${before === 0 ? '' : ' within an hour'}; ` +
      'nothing more was deleted elsewhere. Put them back, or, if you meant it, run "employee sync --allow-deletes"',
  );
}

/** Remembers what was deleted; `allowed` by a person, it counts no more. */
export function noteDeletes(agent: Pick<Agent, 'clock' | 'copy'>, gone: number, allowed: boolean): void {
  if (gone === 0) return;
  const { since, gone: before } = windowOf(agent) ?? { since: agent.clock.now(), gone: 0 };
  agent.copy.setFact(FACT, JSON.stringify({ since, gone: allowed ? 0 : before + gone }));
}

function windowOf({ clock, copy }: Pick<Agent, 'clock' | 'copy'>): z.infer<typeof Window> | undefined {
  const parsed = Window.safeParse(jsonOf(copy.fact(FACT) ?? ''));
  const ageMs = parsed.success ? Date.parse(clock.now()) - Date.parse(parsed.data.since) : NaN;
  // A clock that was set back begins a new hour.
  return ageMs >= 0 && ageMs < WINDOW_MS ? parsed.data : undefined;
}
