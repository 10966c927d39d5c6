import type { Deployment, Resource } from './deployments.ts';
import { rolesOf } from './policy.ts';
import type { Json } from './resolve.ts';
import { isRotationPermission } from './rotation-rules.ts';
import { at, nameOf, named, ofType, put, text, unlike, type Rule } from './rule.ts';

function isStream(source: Resource): boolean {
  return text(at(source, 'EventSourceArn')).includes('/stream/');
}

function isAbsent(value: Json | undefined): boolean {
  return value === undefined;
}

/** Rules about functions and what their roles may do. */
export const pipelineRules: readonly Rule[] = [
  {
    name: 'each function runs Node 24 on arm64, within limits, and logs to a group of its own that expires',
    problems: (d: Deployment): string[] => {
      const groups = ofType(d, 'AWS::Logs::LogGroup');
      return unlike(ofType(d, 'AWS::Lambda::Function'), {
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        ReservedConcurrentExecutions: (count) => Number(count) > 0,
        // The archive handles entries of the ledger, the others may meet a mail of 40 MB or a long ledger.
        MemorySize: (mb) => Number(mb) >= 512,
        'EphemeralStorage.Size': (mb) => Number(mb) >= 512,
        'LoggingConfig.LogGroup': (name) => groups.some((group) => nameOf(group) === name),
        TracingConfig: d.profile === 'full' ? { Mode: 'Active' } : (value) => value === undefined,
      })
        .concat(
          unlike(
            ofType(d, 'AWS::Lambda::Function').filter(({ id }) => !id.startsWith('Archive')),
            { MemorySize: (mb) => Number(mb) >= 1024 },
          ),
        )
        .concat(unlike(groups, { RetentionInDays: d.stage === 'prod' ? 365 : 30 }))
        .concat(groups.length === ofType(d, 'AWS::Lambda::Function').length ? [] : ['log groups are shared']);
    },
    plant: (d) => put(named(d, 'AWS::Lambda::Function', 'Triage'), 'ReservedConcurrentExecutions', undefined),
  },
  {
    name: 'each queue hides a message for six times its reader’s timeout, reports failures singly, and is bounded',
    problems: (d) =>
      ofType(d, 'AWS::Lambda::EventSourceMapping')
        .filter((source) => !isStream(source))
        .flatMap((source) => {
          const queue = ofType(d, 'AWS::SQS::Queue').find((q) =>
            text(at(source, 'EventSourceArn')).endsWith(nameOf(q)),
          );
          const reader = ofType(d, 'AWS::Lambda::Function').find(
            (f) => at(source, 'FunctionName') === nameOf(f),
          );
          if (queue === undefined || reader === undefined) return [`${source.id} joins nothing`];
          const window = Number(at(source, 'MaximumBatchingWindowInSeconds'));
          const enough = 6 * Number(at(reader, 'Timeout')) + window;
          return unlike([queue], { VisibilityTimeout: (seconds) => Number(seconds) >= enough }).concat(
            unlike([source], {
              BatchSize: 10,
              FunctionResponseTypes: ['ReportBatchItemFailures'],
              'ScalingConfig.MaximumConcurrency': (count) =>
                Number(count) >= 2 && Number(count) <= Number(at(reader, 'ReservedConcurrentExecutions')),
            }),
          );
        }),
    plant: (d) => put(named(d, 'AWS::SQS::Queue', 'DraftingQueue'), 'VisibilityTimeout', 300),
  },
  {
    name: 'the stream of the ledger hands every entry to the archive, from the oldest on, and again until it is kept',
    problems: (d: Deployment): string[] => {
      const table = named(d, 'AWS::DynamoDB::Table', 'Ledger');
      const streams = ofType(d, 'AWS::Lambda::EventSourceMapping').filter(isStream);
      const reader = named(d, 'AWS::Lambda::Function', 'Archive');
      const archive = named(d, 'AWS::S3::Bucket', 'Archive');
      if (!table || !reader || !archive) return ['the ledger, the archive or its function is missing'];
      const counted = streams.length === 1 ? [] : [`${streams.length} streams feed a function`];
      return [
        ...counted,
        ...unlike([table], { 'StreamSpecification.StreamViewType': 'NEW_IMAGE' }),
        ...unlike(streams, {
          FunctionName: nameOf(reader),
          StartingPosition: 'TRIM_HORIZON',
          BisectBatchOnFunctionError: true,
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          // Left out, both mean: for as long as the stream has it.
          MaximumRetryAttempts: isAbsent,
          MaximumRecordAgeInSeconds: isAbsent,
        }),
        ...unlike([reader], {
          'Environment.Variables.ARCHIVE_BUCKET': nameOf(archive),
        }),
      ];
    },
    plant: (d: Deployment): void => {
      const [stream] = ofType(d, 'AWS::Lambda::EventSourceMapping').filter(isStream);
      if (stream) put(stream, 'MaximumRetryAttempts', 3);
    },
  },
  {
    name: 'an alarm that tells somebody stands on entries that wait to be archived',
    problems: (d: Deployment): string[] => {
      const late = ofType(d, 'AWS::CloudWatch::Alarm').filter(
        (alarm) => at(alarm, 'MetricName') === 'IteratorAge',
      );
      const reader = named(d, 'AWS::Lambda::Function', 'Archive');
      if (late.length !== 1 || !reader) return [`${late.length} alarms on the age of the stream`];
      return unlike(late, {
        Threshold: (ms) => Number(ms) <= 3_600_000,
        AlarmActions: (actions) => Array.isArray(actions) && actions.length === 1,
        Dimensions: [{ Name: 'FunctionName', Value: nameOf(reader) }],
      });
    },
    plant: (d: Deployment): void => {
      const alarm = ofType(d, 'AWS::CloudWatch::Alarm').find(
        (each) => at(each, 'MetricName') === 'IteratorAge',
      );
      if (alarm) put(alarm, 'AlarmActions', []);
    },
  },
  {
    name: 'no function holds a secret in its environment',
    problems: (d) =>
      ofType(d, 'AWS::Lambda::Function').flatMap((f) =>
        Object.entries((at(f, 'Environment.Variables') ?? {}) as Record<string, string>)
          .filter(
            ([name, value]) =>
              /KEY|TOKEN|PASSWORD|SECRET(?!_ARN$)/.test(name) || /resolve:|-----BEGIN|AKIA/.test(value),
          )
          .map(([name]) => `${f.id}: ${name}`),
      ),
    plant: (d) =>
      put(
        named(d, 'AWS::Lambda::Function', 'Draft'),
        'Environment.Variables.MODEL_KEY',
        'AKIA0000000000000000',
      ),
  },
  {
    name: 'nobody outside the account can call a function',
    problems: (d) =>
      ['AWS::Lambda::Url', 'AWS::Lambda::Permission', 'AWS::IAM::User', 'AWS::IAM::AccessKey']
        .flatMap((type) => ofType(d, type))
        .filter((resource) => !isRotationPermission(d, resource))
        .map(({ id, type }) => `${id} is a ${type}`),
    plant: (d) => d.resources.push({ ...fakeResource(d), type: 'AWS::Lambda::Url' }),
  },
  {
    name: 'no policy that grants uses a wildcard for actions, NotAction, or everything as its resource',
    problems: (d) =>
      rolesOf(d)
        .flatMap(({ role, granted, boundary }) => [...granted, ...(boundary ?? [])].map((s) => ({ role, s })))
        .filter(({ s }) => s.Effect === 'Allow')
        .filter(({ s }) => {
          const tracing = (s.Action ?? []).every((action) => action.startsWith('xray:'));
          return (
            s.NotAction !== undefined ||
            s.NotResource !== undefined ||
            (s.Action ?? []).some((action) => action.includes('*')) ||
            ((s.Resource ?? ['*']).includes('*') && !tracing)
          );
        })
        .map(({ role, s }) => `${role.id}: ${JSON.stringify(s)}`),
    plant: (d) =>
      put(named(d, 'AWS::IAM::Role', 'Triage'), 'Policies.0.PolicyDocument.Statement.0.Resource', '*'),
  },
  {
    name: 'each role has the boundary',
    problems: (d) =>
      rolesOf(d)
        .filter(({ boundary, foreign }) => boundary === undefined || foreign.length > 0)
        .map(({ role }) => `${role.id} has not`),
    plant: (d) => put(named(d, 'AWS::IAM::Role', 'Draft'), 'PermissionsBoundary', undefined),
  },
  {
    name: 'what a role may read and write at rest it may only through the services that keep it',
    problems: (d) =>
      rolesOf(d)
        .flatMap(({ role, granted }) => granted.map((s) => ({ role, s })))
        .filter(({ s }) => s.Action?.some((action) => action.startsWith('kms:')) === true)
        .filter(({ s }) => s.Condition?.['StringEquals']?.['kms:ViaService'] === undefined)
        .map(({ role }) => `${role.id} may use the key directly`),
    plant: (d: Deployment): void => {
      const role = named(d, 'AWS::IAM::Role', 'Draft') as Resource;
      const statements = at(role, 'Policies.0.PolicyDocument.Statement') as readonly Json[];
      const index = statements.findIndex((statement) => JSON.stringify(statement).includes('kms:Decrypt'));
      put(role, `Policies.0.PolicyDocument.Statement.${index}.Condition`, undefined);
    },
    plantIn: 'dev full',
  },
];

function fakeResource(d: Deployment): Resource {
  const stack = `ai-employee-${d.stage}-pipeline`;
  return {
    stack,
    id: 'Planted',
    type: '',
    properties: {},
    deletionPolicy: undefined,
    updateReplacePolicy: undefined,
  };
}
