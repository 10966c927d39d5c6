import { z } from 'zod';
import { sha256Hex } from './canonical.ts';

/** A task's id: `t` and 20 lower-case hex digits (80 bits). */
export const TaskId = z.string().regex(/^t[0-9a-f]{20}$/, 'a task id is t and 20 hex digits');
export type TaskId = z.infer<typeof TaskId>;

/** SHA-256 in hex. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 hex digits');

/** An instant, ISO-8601 in UTC: `2026-11-21T08:00:00.000Z`. */
export const Instant = z.iso.datetime({ offset: false });

/** An instant written with exactly three decimals: any two of them compare as texts as they do in time. */
export const ExactInstant = z.iso.datetime({ offset: false, precision: 3 });

/** Name of an agent or zone that writes: `cloud`, or the name of a machine such as `laptop`. */
export const WriterName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a writer is lower-case letters, digits, -');

/**
 * The id of the task that a mail makes. It depends on SES's message id alone, so each delivery of the
 * same notification meets the same item.
 */
export function taskIdOfMail(sesMessageId: string): TaskId {
  return `t${sha256Hex(`ses:${sesMessageId}`).slice(0, 20)}`;
}

/** The first eight characters of a task id: enough for a person to tell a day's tasks apart. */
export function shortId(taskId: TaskId): string {
  return taskId.slice(0, 8);
}
