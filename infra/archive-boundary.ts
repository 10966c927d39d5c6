import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { archivePrefixes } from './names.ts';
import { atMost, type BoundaryProps, denials, neverAllowed, sharedStatements } from './zone-boundary.ts';
import { streamActions } from './zone-permissions.ts';

/** The permissions boundary of the role that archives: it hears of the ledger's changes, and puts objects. */
export class ArchiveBoundary extends ManagedPolicy {
  constructor(
    scope: Construct,
    id: string,
    props: BoundaryProps & { readonly streamArn: string; readonly archive: IBucket },
  ) {
    super(scope, id, {
      description: 'AI Employee: the most that the copying of the ledger into the archive can do',
      statements: [
        atMost(streamActions, [props.streamArn]),
        atMost(
          ['s3:PutObject'],
          archivePrefixes.map((prefix) => props.archive.arnForObjects(`${prefix}*`)),
        ),
        ...sharedStatements(props),
        ...denials(neverAllowed),
      ],
    });
  }
}
