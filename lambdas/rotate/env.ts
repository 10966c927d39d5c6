import { z } from 'zod';

/**
 * Environment of the rotation function. The infrastructure supplies `z.input<typeof RotateEnv>`, so a name that
 * one side drops or renames does not type-check on the other.
 */
export const RotateEnv = z.object({
  LEDGER_TABLE: z.string().min(3),
  VAULT_BUCKET: z.string().min(3),
  VAULT_SECRET_ARN: z.string().min(1),
  POWERTOOLS_SERVICE_NAME: z.string().min(1),
  POWERTOOLS_LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
});

export type RotateEnv = z.infer<typeof RotateEnv>;
