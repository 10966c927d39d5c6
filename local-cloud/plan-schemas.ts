import { z } from 'zod';

/** CloudFormation writes numbers and truth values as text too. */
const Num = z.coerce.number();
const Bool = z.union([z.boolean(), z.enum(['true', 'false']).transform((word) => word === 'true')]);

const KeySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));

const Projection = z.object({
  ProjectionType: z.string().optional(),
  NonKeyAttributes: z.array(z.string()).optional(),
});

/** Properties of `AWS::DynamoDB::Table`, as far as dynalite can have them. */
export const TableProperties = z.object({
  KeySchema,
  AttributeDefinitions: z.array(
    z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  GlobalSecondaryIndexes: z.array(z.object({ IndexName: z.string(), KeySchema, Projection })).optional(),
  StreamSpecification: z.object({ StreamViewType: z.literal('NEW_IMAGE') }).optional(),
  LocalSecondaryIndexes: z.array(z.object({ IndexName: z.string(), KeySchema, Projection })).optional(),
});

/** Properties of `AWS::SQS::Queue`. */
export const QueueProperties = z.object({
  FifoQueue: Bool.optional(),
  ContentBasedDeduplication: Bool.optional(),
  VisibilityTimeout: Num.optional(),
  MessageRetentionPeriod: Num.optional(),
  DelaySeconds: Num.optional(),
  MaximumMessageSize: Num.optional(),
  ReceiveMessageWaitTimeSeconds: Num.optional(),
  RedrivePolicy: z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: Num }).optional(),
});

/** Properties of `AWS::SNS::Subscription`. */
export const SubscriptionProperties = z.object({
  TopicArn: z.string(),
  Protocol: z.string(),
  Endpoint: z.string(),
  RawMessageDelivery: Bool.default(false),
  FilterPolicy: z.record(z.string(), z.unknown()).optional(),
  FilterPolicyScope: z.string().optional(),
});

/** Properties of `AWS::SecretsManager::Secret`. */
export const SecretProperties = z.object({
  Description: z.string().optional(),
  SecretString: z.string().optional(),
  GenerateSecretString: z
    .object({
      PasswordLength: Num.default(32),
      SecretStringTemplate: z.string().optional(),
      GenerateStringKey: z.string().optional(),
      ExcludeCharacters: z.string().default(''),
      ExcludePunctuation: Bool.default(false),
      ExcludeLowercase: Bool.default(false),
      ExcludeUppercase: Bool.default(false),
      ExcludeNumbers: Bool.default(false),
    })
    .optional(),
});

/** Properties of `AWS::Lambda::Function` whose code is an asset. */
export const FunctionProperties = z.object({
  Handler: z.string(),
  Runtime: z.string().regex(/^nodejs/, 'only Node functions run here'),
  Code: z.object({ S3Key: z.string() }),
  Timeout: Num.default(3),
  MemorySize: Num.default(128),
  ReservedConcurrentExecutions: Num.optional(),
  Role: z.string().optional(),
  Environment: z.object({ Variables: z.record(z.string(), z.coerce.string()).default({}) }).optional(),
});

/** Properties of `AWS::Lambda::EventSourceMapping` over a queue or over the stream of a table. */
export const EventSourceProperties = z.object({
  FunctionName: z.string(),
  EventSourceArn: z
    .string()
    .regex(
      /^arn:aws:(sqs:|dynamodb:.*\/stream\/)/,
      'only queues and streams of tables can be event sources here',
    ),
  Enabled: Bool.default(true),
  BatchSize: Num.default(10),
  MaximumBatchingWindowInSeconds: Num.default(0),
  FunctionResponseTypes: z.array(z.string()).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: Num.optional() }).optional(),
  FilterCriteria: z.undefined('filters are not applied here').optional(),
});

/** Properties of `AWS::SecretsManager::RotationSchedule` with a function of the templates. */
export const RotationScheduleProperties = z.object({
  SecretId: z.string(),
  RotationLambdaARN: z.string('only functions of the templates rotate here'),
  RotationRules: z
    .object({
      AutomaticallyAfterDays: Num.optional(),
      ScheduleExpression: z.string().optional(),
      Duration: z.string().optional(),
    })
    .optional(),
});

/** Properties of `AWS::Lambda::Permission`. */
export const PermissionProperties = z.object({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceAccount: z.string().optional(),
  SourceArn: z.string().optional(),
});

/** Properties of `AWS::SES::EmailIdentity`. */
export const EmailIdentityProperties = z.object({
  ConfigurationSetAttributes: z.object({ ConfigurationSetName: z.string().optional() }).optional(),
});

/** Properties of `AWS::SES::ReceiptRule`. */
export const ReceiptRuleProperties = z.object({
  RuleSetName: z.string(),
  Rule: z.object({
    Name: z.string().optional(),
    Enabled: Bool.default(false),
    Recipients: z.array(z.string()).default([]),
    ScanEnabled: Bool.default(false),
    Actions: z
      .array(
        z.strictObject(
          {
            S3Action: z.object({
              BucketName: z.string(),
              ObjectKeyPrefix: z.string().default(''),
              TopicArn: z.string().optional(),
            }),
          },
          'only an S3 action runs here',
        ),
      )
      .default([]),
  }),
});
