import type { Output } from './output.ts';
import type { SyncProgress } from './sync/progress.ts';
import { visibleLine } from './visible.ts';

/** Work that is over sooner needs no words, unless somebody watches. */
const QUIET_MS = 2000;
const WATCHED_MS = 100;

const WORDS: Readonly<Record<SyncProgress['stage'], string>> = {
  scan: 'looking at',
  upload: 'sending',
  download: 'fetching',
  apply: 'writing',
};

/**
 * Says on stderr how far a sync has come: on a terminal all along, else from two seconds on and every two
 * seconds.
 *
 * @param nowMs a clock that only grows.
 */
export function showProgress(
  out: Pick<Output, 'progress' | 'isWatched'>,
  nowMs: () => number = () => performance.now(),
): (step: SyncProgress) => void {
  const pauseMs = out.isWatched ? WATCHED_MS : QUIET_MS;
  let saidAtMs: number | undefined;
  return ({ stage, done, total, path }) => {
    const now = nowMs();
    saidAtMs ??= now;
    if (now - saidAtMs < pauseMs) return;
    saidAtMs = now;
    out.progress(
      `${WORDS[stage]} ${done} of ${total}${path === undefined ? '' : `  ${visibleLine(path, 60)}`}`,
    );
  };
}
