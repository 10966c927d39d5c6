import { z } from 'zod';
import { TaskId } from './ids.ts';

/** The message on the drafting queue: which task to draft, and the correlation id for the logs. */
export const DraftRequest = z.strictObject({ taskId: TaskId, correlationId: z.string().max(200) });
export type DraftRequest = z.infer<typeof DraftRequest>;
