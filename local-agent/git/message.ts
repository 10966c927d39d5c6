import type { Zone } from '#protocol/task.ts';
import type { TreeChange } from './objects.ts';

const MAX_SUBJECT = 100;
const MAX_TASKS = 200;

/** What the message of a commit tells. */
export interface Told {
  readonly zone: Zone;
  readonly taskIds: ReadonlySet<string>;
  /** The entry of the ledger that the vault is in step with. */
  readonly head: number;
}

/**
 * The message of a commit: what changed in one line, the tasks and the head of the ledger as trailers.
 *
 * @example
 * vault(cloud): add Pending_Approval/2026-11-21 About lunch (t3f9c1a2).md
 *
 * Task: t3f9c1a2…
 * Zone: cloud
 * Ledger: 12
 */
export function commitMessage(changes: readonly TreeChange[], { zone, taskIds, head }: Told): string {
  const tasks = [...taskIds].slice(0, MAX_TASKS);
  const trailers = [
    ...tasks.map((taskId) => `Task: ${taskId}`),
    ...(tasks.length < taskIds.size ? [`Tasks-More: ${taskIds.size - tasks.length}`] : []),
    `Zone: ${zone}`,
    `Ledger: ${head}`,
  ];
  return `vault(${zone}): ${clip(summary(changes))}\n\n${trailers.join('\n')}\n`;
}

function summary(changes: readonly TreeChange[]): string {
  const [only, ...others] = changes.filter(({ path }) => !path.startsWith('Briefings/'));
  if (only && others.length === 0) return describe(only);
  const count = (...kinds: string[]): number => changes.filter(({ status }) => kinds.includes(status)).length;
  return [
    [count('A', 'C'), 'added'],
    [count('M', 'T'), 'edited'],
    [count('R'), 'moved'],
    [count('D'), 'deleted'],
  ]
    .filter(([number]) => number !== 0)
    .map(([number, word]) => `${number} ${word}`)
    .join(', ');
}

function describe({ status, path, from }: TreeChange): string {
  if (status === 'D') return `delete ${path}`;
  if (status !== 'R') return `${status === 'A' ? 'add' : 'edit'} ${path}`;
  const name = path.split('/').at(-1);
  const isSameName = from?.split('/').at(-1) === name;
  return isSameName
    ? `move ${name} to ${path.split('/').slice(0, -1).join('/') || 'the top'}`
    : `move ${from} to ${path}`;
}

function clip(text: string): string {
  const characters = [...text];
  return characters.length <= MAX_SUBJECT ? text : `${characters.slice(0, MAX_SUBJECT - 1).join('')}…`;
}
