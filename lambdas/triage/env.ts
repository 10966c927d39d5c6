import { z } from 'zod';

/**
 * Environment of the triage function. The infrastructure supplies `z.input<typeof TriageEnv>`, so a name that
 * one side drops or renames does not type-check on the other.
 *
 * `OWN_ADDRESSES` is a comma-separated list in the environment and a list of lower-case addresses once parsed.
 */
export const TriageEnv = z.object({
  TASKS_TABLE: z.string().min(3),
  LEDGER_TABLE: z.string().min(3),
  VAULT_BUCKET: z.string().min(3),
  INBOUND_BUCKET: z.string().min(3),
  DRAFTING_QUEUE_URL: z.url(),
  VAULT_SECRET_ARN: z.string().min(1),
  OWN_ADDRESSES: z
    .string()
    .transform((list) =>
      list
        .toLowerCase()
        .split(',')
        .map((address) => address.trim()),
    )
    .pipe(z.array(z.email()).min(1)),
  POWERTOOLS_SERVICE_NAME: z.string().min(1),
  POWERTOOLS_METRICS_NAMESPACE: z.string().min(1),
  /** Custom metrics cost by their names; the lean profile has none. Read by Powertools itself. */
  POWERTOOLS_METRICS_DISABLED: z.enum(['true', 'false']).default('false'),
  POWERTOOLS_LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR']).default('INFO'),
});

export type TriageEnv = z.infer<typeof TriageEnv>;
