import { z } from 'zod';
import { AwsError, startAwsServer, type EmulatorOptions, type RunningEmulator } from './aws-http.ts';

/** The CloudWatch emulator, with what it counted. */
export interface CloudWatch extends RunningEmulator {
  /** How many data points came in for each `namespace/metric`. */
  readonly counts: () => Record<string, number>;
}

const PutMetricData = z.object({
  Namespace: z.string().min(1),
  MetricData: z.array(z.object({ MetricName: z.string().min(1) })).max(1000),
});

/** CloudWatch (JSON protocol): `PutMetricData`, accepted and counted. @throws PortInUse */
export async function startCloudWatch(options: EmulatorOptions): Promise<CloudWatch> {
  const counts = new Map<string, number>();
  const emulator = await startAwsServer(
    {
      service: 'cloudwatch',
      bodyLimitBytes: 1024 * 1024,
      json: {
        PutMetricData: (raw) => {
          const parsed = PutMetricData.safeParse(raw);
          if (!parsed.success) throw new AwsError('InvalidParameterValue', z.prettifyError(parsed.error));
          for (const { MetricName } of parsed.data.MetricData) {
            const name = `${parsed.data.Namespace}/${MetricName}`;
            counts.set(name, (counts.get(name) ?? 0) + 1);
          }
          return {};
        },
      },
    },
    options,
  );
  return { ...emulator, counts: () => Object.fromEntries(counts) };
}
