import { z } from 'zod';
import { shortId } from './ids.ts';
import type { TaskState } from './task.ts';

/** The folders that hold task notes. Each name says a state; the task item owns it. */
export const TASK_FOLDERS = [
  'Needs_Action',
  'In_Progress',
  'Pending_Approval',
  'Approved',
  'Needs_Attention',
  'Rejected',
  'Done',
] as const;
export type TaskFolder = (typeof TASK_FOLDERS)[number];

/** All folders of a vault that have a meaning. */
export const VAULT_FOLDERS = [...TASK_FOLDERS, 'Conflicts', 'Schedules', 'Templates', 'Briefings'] as const;

const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;
// eslint-disable-next-line no-control-regex -- control characters are what a file name must not have
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f<>:"/\\|?*\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** Why a name cannot be a file's name on every system this vault may travel to, or `undefined`. */
export function badFileName(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'is empty or a directory reference';
  if (Buffer.byteLength(name) > 240) return 'is longer than 240 bytes';
  // Two such names would be one file: what is not Unicode is written as U+FFFD.
  if (!name.isWellFormed()) return 'is not well-formed Unicode';
  if (FORBIDDEN.test(name)) return 'holds a character that a file name cannot have';
  if (/[. ]$/.test(name) || name.startsWith(' ')) return 'begins or ends with a space, or ends with a dot';
  if (RESERVED.test(name)) return 'is reserved on Windows';
  if (name.normalize('NFC') !== name) return 'is not in Unicode normal form C';
  return undefined;
}

/** A note's file name: one safe segment that ends with `.md`. */
export const NoteName = z
  .string()
  .refine((name) => badFileName(name) === undefined && name.endsWith('.md'), 'not a safe note name');

/** A path inside the vault: `/` between safe segments, never absolute, never upwards. */
export const VaultPath = z
  .string()
  .max(1000)
  .refine(
    (path) => path.split('/').every((part) => badFileName(part) === undefined),
    'not a safe vault path',
  );

/** The folder in which the note of a task stands, or `undefined` where a task has none. */
export function folderOf(task: {
  readonly state: TaskState;
  readonly owner?: string | undefined;
}): string | undefined {
  switch (task.state) {
    case 'received':
    case 'ignored':
      return undefined;
    case 'needs_action':
      return 'Needs_Action';
    case 'drafting':
      return `In_Progress/${task.owner ?? 'cloud'}`;
    case 'executing':
      return `In_Progress/${task.owner ?? 'unknown'}`;
    case 'pending_approval':
      return 'Pending_Approval';
    case 'approved':
      return 'Approved';
    case 'done':
      return 'Done';
    case 'rejected':
      return 'Rejected';
    case 'quarantined':
    case 'failed':
    case 'indeterminate':
      return 'Needs_Attention';
  }
}

const PLAIN = /^[ -~]*$/;

/**
 * A name as file systems compare it that ignore case and normal form. By way of upper case, which also joins
 * `ß` with `ss`, `ſ` with `s` and the two small sigmas, as such file systems do.
 */
export function foldName(name: string): string {
  // Most names; the rest of the way is ten times as long.
  if (PLAIN.test(name)) return name.toLowerCase();
  return name.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

/** The folder of tasks to which a path belongs, if it is one. */
export function taskFolderOf(path: string): TaskFolder | undefined {
  const [first = ''] = path.split('/');
  return TASK_FOLDERS.find((folder) => foldName(folder) === foldName(first));
}

/**
 * A file name for a task's note: day, subject as far as it is fit for a name, short id.
 *
 * @example noteName({ taskId, subject: 'Re: Lunch?', at: '2026-11-21T…' }) // '2026-11-21 Re Lunch (t3f9c1a2).md'
 */
export function noteName(note: {
  readonly taskId: string;
  readonly subject: string;
  readonly at: string;
}): string {
  const words = note.subject
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}\s_.,+@-]/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  let title = '';
  for (const char of words) {
    if (Buffer.byteLength(title + char) > 100) break;
    title += char;
  }
  return `${[note.at.slice(0, 10), title.trim(), `(${shortId(note.taskId)})`].filter(Boolean).join(' ')}.md`;
}

/** Which vault key a path's contents are sealed with: the cloud reads the standing orders and nothing else. */
export function ringOf(path: string): 'shared' | 'private' {
  const shared = path === 'Handbook.md' || /^(Templates|Schedules|Briefings)\//.test(path);
  return shared ? 'shared' : 'private';
}

const SHARED = ['Handbook.md', 'Templates', 'Schedules', 'Briefings'];

/**
 * The name that a path would need at its beginning, if it begins like one of the shared files and folders and
 * is none: in other letters, or a file for a folder. A file system that ignores case would take it for one.
 */
export function misspeltShared(path: string): string | undefined {
  const [first = ''] = path.split('/');
  const meant = SHARED.find((name) => foldName(name) === foldName(first));
  return meant === undefined || ringOf(path) === 'shared' ? undefined : meant;
}
