import type { Deployment, Resource } from './deployments.ts';
import { rolesOf, type Statement, statementsOf } from './policy.ts';
import { account, region } from './resolve.ts';
import { at, nameOf, named, ofType, put, sameJson, unlike, type Rule } from './rule.ts';

/** ARN of the deployment's trail. */
export function trailArn({ stage }: Deployment): string {
  return `arn:aws:cloudtrail:${region}:${account}:trail/ai-employee-${stage}`;
}

const bucket = (d: Deployment, id: string): Resource => named(d, 'AWS::S3::Bucket', id) as Resource;
const policy = (d: Deployment, id: string): Resource =>
  named(d, 'AWS::S3::BucketPolicy', `${id}Policy`) as Resource;

/** Rules about what nobody may rewrite: the archive, and the record of who touched vault and archive. */
export const proofRules: readonly Rule[] = [
  {
    name: 'the archive is locked: governance in dev, which can be cleared up, and compliance in prod',
    problems: (d) =>
      unlike([bucket(d, 'Archive')], {
        ObjectLockEnabled: true,
        'ObjectLockConfiguration.ObjectLockEnabled': 'Enabled',
        'ObjectLockConfiguration.Rule.DefaultRetention.Mode':
          d.stage === 'prod' ? 'COMPLIANCE' : 'GOVERNANCE',
        'ObjectLockConfiguration.Rule.DefaultRetention.Days': d.stage === 'prod' ? 365 : 1,
        ExpirationInDays: (value) => value === undefined,
      }),
    plant: (d) =>
      put(bucket(d, 'Archive'), 'ObjectLockConfiguration.Rule.DefaultRetention.Mode', 'GOVERNANCE'),
  },
  {
    name: 'archive and log files refuse everybody who would remove, hide, release or hold an object',
    problems: (d) =>
      ['Archive', 'TrailLogs'].flatMap((id) =>
        [
          'BypassGovernanceRetention',
          'DeleteObject',
          'DeleteObjectVersion',
          'PutObjectLegalHold',
          'PutObjectRetention',
        ]
          .filter(
            (action) =>
              !statementsOf(policy(d, id)).some(
                (s) =>
                  s.Effect === 'Deny' &&
                  s.Condition === undefined &&
                  JSON.stringify(s.Principal).includes('"*"') &&
                  s.Action?.includes(`s3:${action}`) === true &&
                  sameJson(s.Resource, [`arn:aws:s3:::${nameOf(bucket(d, id))}/*`]),
              ),
          )
          .map((action) => `${id} lets somebody ${action}`),
      ),
    plant: (d) =>
      put(denial(policy(d, 'Archive')), 'Action', ['s3:DeleteObjectVersion', 's3:PutObjectRetention']),
  },
  {
    name: 'nobody is granted more on the archive than to put an object, and the agent to list and read them',
    problems: (d: Deployment): string[] => {
      const archive = nameOf(bucket(d, 'Archive'));
      const onArchive = ({ Effect, Resource = ['*'], NotResource }: Statement): boolean =>
        Effect === 'Allow' &&
        (NotResource !== undefined || Resource.some((r) => r === '*' || r.includes(archive)));
      const isReading = (actions: unknown): boolean =>
        ['s3:ListBucket', 's3:GetObject'].some((action) => sameJson(actions, [action]));
      const tracing = (s: Statement): boolean => s.Action?.every((a) => a.startsWith('xray:')) === true;
      return [
        ...statementsOf(policy(d, 'Archive')).map((s) => ({ who: 'bucket policy', s })),
        ...rolesOf(d).flatMap(({ role, granted }) => granted.map((s) => ({ who: role.id, s }))),
      ]
        .filter(({ s }) => onArchive(s) && !tracing(s) && !sameJson(s.Action, ['s3:PutObject']))
        .filter(({ who, s }) => !who.startsWith('AgentRole') || !isReading(s.Action))
        .map(({ who, s }) => `${who}: ${JSON.stringify(s)}`);
    },
    plant: (d: Deployment): void => {
      const statement = grant(named(d, 'AWS::IAM::Role', 'Triage'), 's3:GetObject');
      put(statement, 'Resource', [`arn:aws:s3:::${nameOf(bucket(d, 'Archive'))}/*`]);
    },
  },
  {
    name: 'each access to an object of vault and archive is on record, in log files that can be proved whole',
    problems: (d) =>
      unlike(ofType(d, 'AWS::CloudTrail::Trail'), {
        TrailName: `ai-employee-${d.stage}`,
        IsLogging: true,
        EnableLogFileValidation: true,
        S3BucketName: nameOf(bucket(d, 'TrailLogs')),
        KMSKeyId: (key) => (key !== undefined) === (d.profile === 'full'),
        AdvancedEventSelectors: [
          {
            FieldSelectors: [
              { Equals: ['Data'], Field: 'eventCategory' },
              { Equals: ['AWS::S3::Object'], Field: 'resources.type' },
              {
                Field: 'resources.ARN',
                StartsWith: ['Vault', 'Archive'].map((id) => `arn:aws:s3:::${nameOf(bucket(d, id))}/`),
              },
            ],
            Name: 'objects of vault and archive',
          },
        ],
      }).concat(ofType(d, 'AWS::CloudTrail::Trail').length === 1 ? [] : ['there is not exactly one trail']),
    plant: (d) => put(named(d, 'AWS::CloudTrail::Trail', 'DataTrail'), 'EnableLogFileValidation', false),
  },
  {
    name: 'only CloudTrail may write log files, and only for this trail',
    problems: (d: Deployment): string[] => {
      const logs = `arn:aws:s3:::${nameOf(bucket(d, 'TrailLogs'))}`;
      const principal = { Service: ['cloudtrail.amazonaws.com'] };
      const source = { 'aws:SourceArn': trailArn(d) };
      const allowed = statementsOf(policy(d, 'TrailLogs')).filter(({ Effect }) => Effect === 'Allow');
      return sameJson(
        allowed.map(({ Sid: _, ...rest }) => sorted(rest)),
        [
          {
            Action: ['s3:GetBucketAcl'],
            Condition: { StringEquals: source },
            Effect: 'Allow',
            Principal: principal,
            Resource: [logs],
          },
          {
            Action: ['s3:PutObject'],
            Condition: { StringEquals: { ...source, 's3:x-amz-acl': 'bucket-owner-full-control' } },
            Effect: 'Allow',
            Principal: principal,
            Resource: [`${logs}/AWSLogs/${account}/*`],
          },
        ],
      )
        ? []
        : [JSON.stringify(allowed)];
    },
    plant: (d: Deployment): void => {
      const allowing = statement(policy(d, 'TrailLogs'), 'PolicyDocument', 's3:PutObject');
      put(allowing, 'Condition.StringEquals.aws:SourceArn', undefined);
    },
  },
];

/** A statement as something that `put` can change: the first of a policy that speaks of an action. */
function statement(resource: Resource, field: string, action: string): Resource {
  const statements = at(resource, `${field}.Statement`) as readonly Resource['properties'][];
  const found = statements.find((each) => JSON.stringify(each).includes(`"${action}"`));
  return { ...resource, properties: found ?? null };
}

function denial(resource: Resource): Resource {
  return statement(resource, 'PolicyDocument', 's3:BypassGovernanceRetention');
}

function grant(role: Resource | undefined, action: string): Resource {
  if (role === undefined) throw new Error('There is no role to plant in');
  return statement(role, 'Policies.0.PolicyDocument', action);
}

function sorted(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}
