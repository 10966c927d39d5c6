import type { z } from 'zod';

/**
 * Reads a function's environment once, at its cold start.
 *
 * @throws {Error} naming every variable that is missing or wrong, and no value.
 */
export function parseEnv<T>(
  schema: z.ZodType<T>,
  variables: Readonly<Record<string, string | undefined>>,
): T {
  const parsed = schema.safeParse(variables);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map((issue) => `${issue.path.join('.')} (${issue.message})`);
  throw new Error(`the environment of the function is not complete: ${names.join(', ')}`);
}
