import { randomUUID } from 'node:crypto';
import type { Ids } from '#protocol/ports.ts';

/** Random UUIDs (version 4, 122 bits). */
export const randomIds: Ids = { next: () => randomUUID() };
