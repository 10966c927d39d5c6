import { z } from 'zod';
import { ASSUMPTIONS } from './assumptions.ts';
import type { TemplateResource } from './templates.ts';

/** What a deployment has that makes mails dearer. */
export interface Features {
  /** Data at rest under a key of the account's own. */
  readonly customerKey: boolean;
  /** A record of each access to an object. */
  readonly dataTrail: boolean;
  readonly tracing: boolean;
  /** Metrics of its own that functions report; paid for the hours in which they report any. */
  readonly customMetrics: number;
}

const Measured = z.object({
  Environment: z.object({ Variables: z.object({ POWERTOOLS_METRICS_DISABLED: z.literal('false') }) }),
});
const Traced = z.object({ TracingConfig: z.object({ Mode: z.literal('Active') }) });

/** Reads them from the templates. */
export function featuresOf(resources: readonly TemplateResource[]): Features {
  const like = (schema: z.ZodType): number =>
    resources.filter(({ properties }) => schema.safeParse(properties).success).length;
  const has = (wanted: string): boolean => resources.some(({ type }) => type === wanted);
  return {
    customerKey: has('AWS::KMS::Key'),
    dataTrail: has('AWS::CloudTrail::Trail'),
    tracing: like(Traced) > 0,
    customMetrics: like(Measured) * ASSUMPTIONS.metricsAFunction,
  };
}
