import { devNull } from 'node:os';
import { AwsClient } from './aws-client.ts';
import { credentialsOf } from './credentials.ts';
import { endpointVariables, type Endpoints } from './endpoints.ts';
import type { TableChange } from './emulators/table-changes.ts';
import { EventSource } from './event-sources.ts';
import { InvocationFailed, LocalFunction, type FunctionLog } from './functions.ts';
import { pollerOf } from './iam/enforcement.ts';
import type { CloudPlan } from './plan.ts';
import { StreamSource } from './stream-sources.ts';

/** The functions of a plan, and what feeds them. */
export interface Pipeline {
  /** Takes no new messages, gives running functions two seconds, then ends them. */
  close(this: void): Promise<void>;
  /** Whether a batch is on its way. */
  isBusy(this: void): boolean;
  /** Calls a function once. @throws InvocationFailed */
  invoke(this: void, functionArn: string, event: unknown): Promise<unknown>;
  /** Tells the functions that are fed by the stream of a table. */
  onChange(this: void, change: TableChange): void;
}

/** @see startPipeline */
export interface PipelineOptions {
  plan: CloudPlan;
  endpoints: Endpoints;
  region: string;
  log: FunctionLog;
  /** Load one instance of each function that works off a queue ahead of the first event. */
  warm: boolean;
}

/** Starts the pollers of all event sources, with the functions behind them. @throws TemplateUnsupported */
export function startPipeline(options: PipelineOptions): Pipeline {
  const { plan, endpoints, region, log } = options;
  const functions = plan.functions.map((planned) => {
    const environment = {
      ...lambdaEnvironment(planned),
      ...awsEnvironment(planned.caller, endpoints, region),
      ...planned.environment,
    };
    return new LocalFunction({ planned, environment, log });
  });
  const pollers = new Map(plan.functions.map((planned) => [planned.name, pollerClient(planned, options)]));
  const sources = eventSources(plan, functions, pollers, region, log);
  for (const source of sources) source.start();
  const streams = streamSources(plan, functions, region, log);
  const fed = new Set([...plan.eventSources, ...plan.streamSources].map(({ functionName }) => functionName));
  if (options.warm) for (const each of functions) if (fed.has(each.planned.name)) each.warm();
  return {
    invoke: async (functionArn, event) => {
      const target = functions.find(({ planned }) => planned.arn === functionArn);
      if (target === undefined) throw new InvocationFailed(functionArn, 'there is no such function');
      return target.invoke(event);
    },
    isBusy: () => [...functions, ...sources, ...streams.values()].some(({ running }) => running > 0),
    onChange: (change) => streams.get(change.table)?.take(change),
    close: async () => {
      for (const stream of streams.values()) stream.stop();
      await drain(sources, [...streams.values()]);
      await Promise.all(functions.map((each) => each.close()));
      for (const client of pollers.values()) client.close();
    },
  };
}

/** What an SDK needs in its environment to work with a local cloud as that caller. */
export function awsEnvironment(caller: string, endpoints: Endpoints, region: string): Record<string, string> {
  const { accessKeyId, secretAccessKey } = credentialsOf(caller);
  return {
    ...endpointVariables(endpoints),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    // Nothing here may ask the instance metadata service or a profile of the person's own.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}

/** How long running functions may go on after the last message was taken. */
const DRAIN_MS = 2000;

async function drain(sources: readonly EventSource[], streams: readonly StreamSource[]): Promise<void> {
  await Promise.all(sources.map((source) => source.stop()));
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([Promise.all([...sources, ...streams].map((source) => source.drained())), patience]);
  clearTimeout(timer);
}

/** Lambda polls a queue with the function's role, so a grant that is missing there shows here. */
function pollerClient(
  planned: CloudPlan['functions'][number],
  { endpoints, region }: PipelineOptions,
): AwsClient {
  return new AwsClient(endpoints, credentialsOf(pollerOf(planned)), region);
}

function eventSources(
  plan: CloudPlan,
  functions: readonly LocalFunction[],
  pollers: ReadonlyMap<string, AwsClient>,
  region: string,
  log: FunctionLog,
): EventSource[] {
  return plan.eventSources.flatMap((mapping) => {
    const target = functions.find(({ planned }) => planned.name === mapping.functionName);
    const queue = plan.queues.find(({ arn }) => arn === mapping.queueArn);
    const client = pollers.get(mapping.functionName);
    if (target === undefined || queue === undefined || client === undefined) {
      throw new TypeError(
        `An event source joins ${mapping.queueArn} and ${mapping.functionName}; one is missing.`,
      );
    }
    const line = (text: string): void => log(target.planned.name, text);
    return [new EventSource({ client, mapping, queueUrl: queue.url, region, target, log: line })];
  });
}

/** By table: each stream feeds one function here. */
function streamSources(
  plan: CloudPlan,
  functions: readonly LocalFunction[],
  region: string,
  log: FunctionLog,
): ReadonlyMap<string, StreamSource> {
  return new Map(
    plan.streamSources.map((mapping) => {
      const target = functions.find(({ planned }) => planned.name === mapping.functionName);
      const table = plan.tables.find(({ name }) => name === mapping.tableName);
      if (target === undefined || table?.StreamSpecification === undefined) {
        throw new TypeError(
          `A stream joins ${mapping.streamArn} and ${mapping.functionName}; one is missing.`,
        );
      }
      const keys = table.KeySchema.map(({ AttributeName }) => AttributeName);
      const line = (text: string): void => log(target.planned.name, text);
      return [mapping.tableName, new StreamSource({ mapping, keys, region, target, log: line })];
    }),
  );
}

function lambdaEnvironment(planned: CloudPlan['functions'][number]): Record<string, string> {
  return {
    AWS_LAMBDA_FUNCTION_NAME: planned.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(planned.memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${planned.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    LAMBDA_TASK_ROOT: planned.bundleDir,
    _HANDLER: planned.handler,
    TZ: ':UTC',
    NODE_OPTIONS: '',
    PATH: process.env['PATH'] ?? '',
  };
}
