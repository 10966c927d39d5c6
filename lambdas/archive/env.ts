import { z } from 'zod';

/**
 * Environment of the archive function. The infrastructure supplies `z.input<typeof ArchiveEnv>`, so a name that
 * one side drops or renames does not type-check on the other.
 */
export const ArchiveEnv = z.object({
  ARCHIVE_BUCKET: z.string().min(3),
  POWERTOOLS_SERVICE_NAME: z.string().min(1),
  POWERTOOLS_LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
});

export type ArchiveEnv = z.infer<typeof ArchiveEnv>;
