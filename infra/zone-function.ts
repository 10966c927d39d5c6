import { Duration, Size } from 'aws-cdk-lib';
import {
  type IManagedPolicy,
  PolicyDocument,
  type PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, EventSourceMapping, Function, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import type { FunctionSize } from './function-sizes.ts';
import { allow } from './statements.ts';
import type { ZoneResources } from './zone-permissions.ts';

/** What the stack says of a function. */
export interface FunctionPart {
  readonly settings: Settings;
  /** Folder with `index.mjs` and whatever it starts as a worker. */
  readonly bundleDir: string;
  readonly size: FunctionSize;
  readonly environment: Readonly<Record<string, string>>;
  readonly logGroup: LogGroup;
}

/** The same of a function that brings its own rights and its own alarm. */
export interface WatchedFunctionPart extends FunctionPart {
  readonly zone: ZoneResources;
  readonly alarmTopic: ITopic;
}

/** What differs from function to function. */
export interface ZoneFunctionProps extends FunctionPart {
  readonly description: string;
  /** The queue it works off, ten messages at a time; it reports which of a batch failed. Without, others call it. */
  readonly source?: IQueue;
  readonly permissions: readonly PolicyStatement[];
  readonly boundary: IManagedPolicy;
}

/** A function of the cloud zone with a role of its own, held by a boundary, and the queue it works off. */
export class ZoneFunction extends Construct {
  readonly function: Function;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: ZoneFunctionProps) {
    super(scope, id);
    const tracing = props.settings.profile === 'full';
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      permissionsBoundary: props.boundary,
      // Inline, so that the rights exist as soon as the role does and the event source mapping can be created.
      inlinePolicies: {
        work: new PolicyDocument({
          statements: [...props.permissions, ownLogs(props.logGroup), ...(tracing ? [traces()] : [])],
        }),
      },
    });
    this.function = new Function(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(props.bundleDir),
      memorySize: props.size.memoryMb,
      // Nothing is written to /tmp: a mail is parsed in memory.
      ephemeralStorageSize: Size.mebibytes(512),
      timeout: props.size.timeout,
      reservedConcurrentExecutions: props.size.concurrency,
      environment: { ...props.environment },
      logGroup: props.logGroup,
      tracing: tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      // CDK adds rights to a role behind one's back when features are switched on; this one takes none.
      role: this.role.withoutPolicyUpdates(),
    });
    if (props.source === undefined) return;
    new EventSourceMapping(this, 'Source', {
      target: this.function,
      eventSourceArn: props.source.queueArn,
      batchSize: 10,
      maxBatchingWindow: Duration.seconds(0),
      maxConcurrency: props.size.concurrency,
      reportBatchItemFailures: true,
    });
  }
}

function ownLogs(logGroup: LogGroup): PolicyStatement {
  return allow('OwnLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
}

// X-Ray takes no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
function traces(): PolicyStatement {
  return allow('Traces', ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], ['*']);
}
