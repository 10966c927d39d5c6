import { counted } from '../counted.ts';
import type { Style } from '../output.ts';
import { visibleLine } from '../visible.ts';
import type { HistoryStatus } from './history.ts';

const SHOWN = 10;

/** The history in `employee status`. */
export function historyLines(history: HistoryStatus, ledgerHead: number, style: Style): string[] {
  const { state, why, branch, commit, committedTo, leftOut, push } = history;
  const at =
    commit === undefined ? 'no commit yet' : `${commit.slice(0, 10)} on ${visibleLine(branch ?? '')}`;
  const behind = ledgerHead - committedTo;
  const first = {
    off: style.dim(`off: ${visibleLine(why ?? '')}`),
    waiting: style.warn(`waiting: ${visibleLine(why ?? '')}`),
    ready: behind === 0 ? at : `${at}, the last ${behind} entries come with the next sync`,
  }[state];
  return [
    `history  ${first}`,
    ...(push === undefined ? [] : [`         ${pushLine(push, style)}`]),
    ...leftOut
      .slice(0, SHOWN)
      .map(({ path, why: because }) =>
        style.dim(`         not in Git: ${visibleLine(path)}: ${visibleLine(because)}`),
      ),
    ...(leftOut.length > SHOWN
      ? [style.dim(`         and ${leftOut.length - SHOWN} more are not in Git`)]
      : []),
  ];
}

function pushLine(push: NonNullable<HistoryStatus['push']>, style: Style): string {
  const { remote, branch, lastPushAt, ahead, error, nextTryAt } = push;
  const where = `pushed to ${visibleLine(remote)} ${visibleLine(branch)}: ${lastPushAt ?? 'never yet'}`;
  const gap = ahead === 0 ? 'nothing newer' : `${counted(ahead, 'commit')} ahead`;
  if (error === undefined) return `${where}, ${gap}`;
  return style.warn(`${where}, ${gap}; ${visibleLine(error)} (next try ${nextTryAt ?? ''})`);
}
