import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from './aws-client.ts';
import { CallLog, type Intercept } from './call-log.ts';
import { credentialsOf, type Credentials } from './credentials.ts';
import { startCloudWatch, type CloudWatch } from './emulators/cloudwatch.ts';
import { startDynamodb } from './emulators/dynamodb.ts';
import { startObjectAndQueues, type QueueDepth } from './emulators/object-and-queues.ts';
import { startSecretsManager } from './emulators/secrets-manager.ts';
import type { SentMail } from './emulators/ses-outbox.ts';
import { startSes } from './emulators/ses.ts';
import { startSts } from './emulators/sts.ts';
import type { Endpoints } from './endpoints.ts';
import type { FunctionLog } from './functions.ts';
import { accessPlanOf } from './iam/access-plan.ts';
import { checkDeliveries, mayRotate } from './iam/deliveries.ts';
import { enforce, type Enforcement } from './iam/enforcement.ts';
import { awsEnvironment, startPipeline, type Pipeline } from './pipeline.ts';
import { planOf, type CloudPlan } from './plan.ts';
import { provision } from './provision.ts';
import { startSmtp, type SmtpOptions } from './smtp.ts';
import { readAssembly } from './template.ts';
import { readVerdictTable } from './verdicts.ts';

/** Ports of the local cloud; 0 or none takes any free one. */
export interface Ports {
  smtp?: number;
  dynamodb?: number;
  /** S3, SNS and SQS share it. */
  s3?: number;
  ses?: number;
  secretsmanager?: number;
  sts?: number;
  cloudwatch?: number;
}

/** @see startLocalCloud */
export interface LocalCloudOptions {
  /** The synthesized app (`cdk.out`). */
  assemblyDir: string;
  ports?: Ports;
  /** Keeps all state over a restart; in memory without. */
  dataDir?: string;
  /** Where sent mails are kept. @default a temporary folder, removed at close */
  outboxDir?: string;
  /** Table of sending domains in place of DNS, see `verdicts.ts`. */
  verdictsFile?: string;
  /** @default 'us-east-1' */
  region?: string;
  /** Replaces the visibility timeout of all queues: how soon a failed message comes back. */
  visibilityTimeoutSeconds?: number;
  /** May refuse any call, before the caller's own policies are asked. */
  policy?: Intercept;
  /** Lines of functions and of the platform itself. */
  log?: FunctionLog;
  onSent?: (mail: SentMail) => void;
  onReceived?: SmtpOptions['onReceived'];
  /** Load one instance of each function that works off a queue ahead of the first event. @default true */
  warm?: boolean;
}

/** A running local cloud. */
export interface LocalCloud {
  region: string;
  endpoints: Endpoints;
  /** `127.0.0.1:port` */
  smtp: string;
  outboxDir: string;
  plan: CloudPlan;
  /** Stack outputs of all stacks in one; the names are the owner's to keep apart. */
  outputs: Record<string, string>;
  calls: CallLog;
  /** The grants of the functions' and the agent's roles, and which of them were needed so far. */
  grants: Enforcement['grants'];
  metrics: CloudWatch['counts'];
  queueDepths(): Record<string, QueueDepth>;
  /** The key of a caller: a function (`Triage`), `agent`, `owner`, `platform`. */
  credentialsFor(caller: string): Credentials;
  /** What an SDK needs in its environment to work here as that caller. */
  environmentFor(caller: string): Record<string, string>;
  /** Resolves when every queue that feeds a function is empty, no function runs and no secret rotates. */
  settle(this: void): Promise<void>;
  close(this: void): Promise<void>;
}

const ACCOUNT_ID = '000000000000';
const SETTLE_POLL_MS = 5;

/**
 * Starts the stacks of a synthesized app on this machine: emulators on loopback, resources by the templates,
 * functions in worker threads, pollers, SMTP in. Functions and agent may do what the policies of their roles allow, and
 * nothing else. Nothing is global: any number runs side by side.
 * @throws PortInUse
 * @throws TemplateUnsupported
 * @throws DeliveryRefused if mail could not come in by the policies of the templates
 * @throws EventSourceRefused if a function could not work off its queue by them
 * @throws PolicyUnsupported if a policy cannot be evaluated
 * @example
 * const cloud = await startLocalCloud({ assemblyDir: 'cdk.out' });
 * await sendMail(cloud.smtp, raw);
 * await cloud.settle();
 * await cloud.close();
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const region = options.region ?? 'us-east-1';
  const ports = options.ports ?? {};
  const { dataDir } = options;
  const log: FunctionLog = options.log ?? (() => undefined);
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = async (): Promise<void> => {
    // Last started, first closed; one that fails must not keep the others open.
    for (const close of closers.splice(0).reverse()) {
      await Promise.resolve(close()).catch((error: unknown) => log('close', String(error)));
    }
  };
  try {
    const stacks = readAssembly(options.assemblyDir);
    const verdictTable =
      options.verdictsFile === undefined ? { domains: {} } : readVerdictTable(options.verdictsFile);
    if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true });
    const outboxDir = options.outboxDir ?? temporaryOutbox(closers);
    mkdirSync(outboxDir, { recursive: true });
    // The tables are there before the functions that their streams feed.
    const streams: Partial<Pick<Pipeline, 'onChange'>> = {};
    const calls = new CallLog(options.policy);
    const { intercept } = calls;
    const started = async <Emulator extends { close(): Promise<void> }>(
      starting: Promise<Emulator>,
    ): Promise<Emulator> => {
      const emulator = await starting;
      closers.push(() => emulator.close());
      return emulator;
    };

    // One after the other: each takes milliseconds, and a taken port leaves nothing half started.
    const objects = await started(
      startObjectAndQueues({ ...at(ports.s3), intercept, region, ...inFolder('dataDir', dataDir) }),
    );
    const place = { region, accountId: ACCOUNT_ID, sqsEndpoint: objects.endpoint };
    const plan = planOf(stacks, place);
    const access = accessPlanOf(stacks, place);
    checkDeliveries(access, plan, place);
    const enforcement = enforce(access, plan, place);
    calls.add((call) => {
      const denied = enforcement.intercept(call);
      if (denied !== undefined) log('access', `AccessDenied ${denied.message}`);
      return denied;
    });
    const dynamodb = await started(
      startDynamodb({
        ...at(ports.dynamodb),
        intercept,
        onChange: (change) => streams.onChange?.(change),
        ...inFolder('path', dataDir, 'dynamodb'),
      }),
    );
    // Secrets are made before the functions that rotate them.
    const later: { pipeline?: Pipeline } = {};
    const secrets = await started(
      startSecretsManager({
        ...at(ports.secretsmanager),
        intercept,
        region,
        accountId: ACCOUNT_ID,
        functions: {
          mayInvoke: (functionArn, secretArn) => mayRotate(plan, functionArn, secretArn, ACCOUNT_ID),
          invoke: async (functionArn, event) => {
            if (later.pipeline === undefined) throw new Error('the functions have not started yet');
            return later.pipeline.invoke(functionArn, event);
          },
        },
        ...inFolder('dataDir', dataDir),
      }),
    );
    const sts = await started(
      startSts({
        ...at(ports.sts),
        intercept,
        accountId: ACCOUNT_ID,
        arnOf: (accessKeyId) =>
          enforcement.sessionArn(accessKeyId) ??
          `arn:aws:sts::${ACCOUNT_ID}:assumed-role/local/${accessKeyId}`,
      }),
    );
    const cloudwatch = await started(startCloudWatch({ ...at(ports.cloudwatch), intercept }));
    const ses = await started(
      startSes({
        ...at(ports.ses),
        intercept,
        outboxDir,
        ...(plan.identities.length === 0 ? {} : { identities: plan.identities }),
        ...(plan.configurationSets.length === 0 ? {} : { configurationSets: plan.configurationSets }),
        onSent: (mail) => options.onSent?.(mail),
      }),
    );
    const endpoints: Endpoints = {
      dynamodb: dynamodb.endpoint,
      s3: objects.endpoint,
      sns: objects.endpoint,
      sqs: objects.endpoint,
      ses: ses.endpoint,
      secretsmanager: secrets.endpoint,
      sts: sts.endpoint,
      cloudwatch: cloudwatch.endpoint,
    };
    const client = new AwsClient(endpoints, credentialsOf('platform'), region);
    closers.push(() => client.close());
    const { visibilityTimeoutSeconds } = options;
    await provision(client, plan, visibilityTimeoutSeconds === undefined ? {} : { visibilityTimeoutSeconds });

    const pipeline = startPipeline({ plan, endpoints, region, log, warm: options.warm ?? true });
    streams.onChange = pipeline.onChange;
    closers.push(pipeline.close);
    later.pipeline = pipeline;

    const smtp = await startSmtp({
      ...at(ports.smtp),
      client,
      rules: plan.receiptRules,
      verdictTable,
      ...(options.onReceived === undefined ? {} : { onReceived: options.onReceived }),
      log: (line) => log('smtp', line),
    });
    closers.push(() => smtp.close());

    const fedQueues = plan.queues
      .filter(({ arn }) => plan.eventSources.some(({ queueArn }) => queueArn === arn))
      .map(({ name }) => name);
    const isBusy = (): boolean => {
      const depths = objects.queueDepths();
      return (
        smtp.receiving() > 0 ||
        pipeline.isBusy() ||
        secrets.rotating() > 0 ||
        fedQueues.some((name) => {
          const depth = depths[name];
          return depth !== undefined && depth.visible + depth.inFlight + depth.delayed > 0;
        })
      );
    };
    return {
      region,
      endpoints,
      smtp: `127.0.0.1:${smtp.port}`,
      outboxDir,
      plan,
      outputs: Object.assign({}, ...Object.values(plan.outputs)) as Record<string, string>,
      calls,
      grants: enforcement.grants,
      metrics: cloudwatch.counts,
      queueDepths: () => objects.queueDepths(),
      credentialsFor: credentialsOf,
      environmentFor: (caller) => awsEnvironment(caller, endpoints, region),
      settle: async () => {
        while (isBusy()) await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function temporaryOutbox(closers: (() => void)[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'local-cloud-outbox-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function at(port: number | undefined): { port?: number } {
  return port === undefined ? {} : { port };
}

function inFolder<Key extends string>(
  key: Key,
  dataDir: string | undefined,
  name = '',
): { [K in Key]?: string } {
  const entry: { [K in Key]?: string } = {};
  if (dataDir !== undefined) entry[key] = join(dataDir, name);
  return entry;
}
