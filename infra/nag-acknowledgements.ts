import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Settings } from './config.ts';
import { deploymentNames } from './names.ts';

/** A finding of cdk-nag that was looked at and is right as it is. */
export interface Acknowledgement {
  /** Where: the construct's path below the app; `{prefix}` stands for the deployment's prefix. */
  readonly path: string;
  /** Which: the rule, with the finding in brackets where the rule makes several; `{prefix}` as above. */
  readonly rule: string;
  /** The profile that has the finding; without it both do. */
  readonly profile?: Settings['profile'];
  readonly reason: string;
}

const inboundObjects =
  'AwsSolutions-IAM5[Resource::{prefix}-storage:ExportsOutputFnGetAttInboundADA8BFE6Arn6743C898/inbound/*]';
const blobObjects =
  'AwsSolutions-IAM5[Resource::{prefix}-storage:ExportsOutputFnGetAttVault23237E5BArn4BB0BF11/blobs/*]';
const anyResource = 'AwsSolutions-IAM5[Resource::*]';
const roles = {
  triage: '{prefix}-pipeline/Triage/Role',
  draft: '{prefix}-pipeline/Draft/Role',
  rotate: '{prefix}-pipeline/Rotate/Default/Role',
  archive: '{prefix}-pipeline/Archive/Default/Role',
};
const boundary = '{prefix}-pipeline/Boundary';
const rotationBoundary = '{prefix}-pipeline/Rotate/Boundary';
const archiveBoundary = '{prefix}-pipeline/Archive/Boundary';
const archived = (prefix: 'ledger' | 'rewritten'): string =>
  `AwsSolutions-IAM5[Resource::{prefix}-storage:ExportsOutputFnGetAttArchiveDA4CB258ArnBE8F3792/${prefix}/*]`;
const restoredTables =
  'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/awsbackup-restore-test-*]';
const xray = 'X-Ray has no resource to name: its two actions take * only.';

/** Every acknowledged finding. A test fails when one is missing here, or stands here and is no longer found. */
export const acknowledgements: readonly Acknowledgement[] = [
  {
    path: '{prefix}-storage/VaultSecret',
    rule: 'AwsSolutions-SMG4',
    reason:
      'It rotates: the schedule stands in the pipeline stack, beside its function, and the rule looks for it in the ' +
      'stack of the secret only. A test of the checklist requires one for each secret.',
  },
  {
    path: roles.triage,
    rule: inboundObjects,
    reason: 'SES chooses the object name of each mail. One action, GetObject, on one prefix of one bucket.',
  },
  {
    path: roles.triage,
    rule: blobObjects,
    reason:
      'Blobs are named by a digest of their content. Get and put on one prefix of one bucket, no delete.',
  },
  {
    path: roles.draft,
    rule: blobObjects,
    reason:
      'Blobs are named by a digest of their content. Get and put on one prefix of one bucket, no delete.',
  },
  {
    path: roles.rotate,
    rule: blobObjects,
    reason:
      'The checkpoint is named by a digest of its vault, beside the other blobs. One action, GetObject, on one prefix.',
  },
  {
    path: rotationBoundary,
    rule: blobObjects,
    reason: 'The boundary grants nothing; it caps the role at one action on this prefix.',
  },
  ...[archived('ledger'), archived('rewritten')].flatMap((rule) => [
    {
      path: roles.archive,
      rule,
      reason:
        'An object is named by number and hash of an entry. One action, PutObject, on two prefixes of one bucket.',
    },
    {
      path: archiveBoundary,
      rule,
      reason: 'The boundary grants nothing; it caps the role at one action on this prefix.',
    },
  ]),
  {
    path: boundary,
    rule: inboundObjects,
    reason: 'The boundary grants nothing; it caps the roles at one action on this prefix.',
  },
  {
    path: boundary,
    rule: blobObjects,
    reason: 'The boundary grants nothing; it caps the roles at get and put on this prefix.',
  },
  {
    path: '{prefix}-access/AgentRole',
    rule: blobObjects,
    reason:
      'Blobs are named by a digest of their content. Get, put and delete on one prefix of one bucket, no versions.',
  },
  {
    path: '{prefix}-access/AgentBoundary',
    rule: blobObjects,
    reason: 'The boundary grants nothing; it caps the role at get, put and delete on this prefix.',
  },
  {
    path: '{prefix}-access/AgentRole',
    rule: archived('ledger'),
    reason:
      'An object is named by number and hash of an entry. One action, GetObject, on one prefix, whose table it reads anyway.',
  },
  {
    path: '{prefix}-access/AgentBoundary',
    rule: archived('ledger'),
    reason: 'The boundary grants nothing; it caps the role at one action on this prefix.',
  },
  {
    path: '{prefix}-operations/Backups/RestoreTestRole',
    rule: restoredTables,
    profile: 'full',
    reason:
      'AWS Backup chooses the end of the name of each table it restores into; the tables restored from are not among them.',
  },
  {
    path: '{prefix}-operations/Backups/Boundary',
    rule: restoredTables,
    profile: 'full',
    reason:
      'The boundary grants nothing; it caps the restoring role at the tables that a restore test makes.',
  },
  { path: roles.triage, rule: anyResource, profile: 'full', reason: xray },
  { path: roles.draft, rule: anyResource, profile: 'full', reason: xray },
  { path: roles.rotate, rule: anyResource, profile: 'full', reason: xray },
  { path: roles.archive, rule: anyResource, profile: 'full', reason: xray },
  { path: boundary, rule: anyResource, profile: 'full', reason: xray },
  { path: rotationBoundary, rule: anyResource, profile: 'full', reason: xray },
  { path: archiveBoundary, rule: anyResource, profile: 'full', reason: xray },
];

/** The acknowledgements that hold for a deployment, with its prefix filled in. */
export function acknowledgementsFor(settings: Settings): Acknowledgement[] {
  const { prefix } = deploymentNames(settings);
  return acknowledgements
    .filter(({ profile }) => profile === undefined || profile === settings.profile)
    .map((entry) => ({
      ...entry,
      path: entry.path.replace('{prefix}', prefix),
      rule: entry.rule.replace('{prefix}', prefix),
    }));
}

/**
 * Acknowledges the listed findings on their constructs.
 *
 * @throws Error when a listed construct does not exist, since a stale entry would hide the next finding there
 */
export function acknowledgeFindings(app: IConstruct, settings: Settings): void {
  const constructs = new Map(app.node.findAll().map((construct) => [construct.node.path, construct]));
  for (const { path, rule, reason } of acknowledgementsFor(settings)) {
    const construct = constructs.get(path);
    if (construct === undefined) throw new Error(`nag-acknowledgements names ${path}, which does not exist`);
    Validations.of(construct).acknowledge({ id: rule, reason });
  }
}
