import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { DataTrail } from './data-trail.ts';
import { MonthlyBudget } from './monthly-budget.ts';
import type { PipelineStack } from './pipeline-stack.ts';
import { ReputationAlarms } from './reputation-alarms.ts';
import type { StorageStack } from './storage-stack.ts';
import { TableBackups } from './table-backups.ts';

/** The stacks that are watched, and whose alarms go to one topic. */
export interface OperationsStackProps extends StackProps {
  readonly storage: StorageStack;
  readonly pipeline: PipelineStack;
}

/**
 * What watches over the rest: the record of every access to vault and archive, the alarms on the sending reputation,
 * the budget, and in the full profile backups with restores that are tried.
 */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, props: OperationsStackProps) {
    const { storage, pipeline, ...stackProps } = props;
    super(scope, id, stackProps);

    new DataTrail(this, 'DataTrail', {
      settings,
      watched: [storage.vaultBucket, storage.archiveBucket],
      logs: storage.trailBucket,
      encryptionKey: storage.encryptionKey,
    });
    new ReputationAlarms(this, 'Reputation', { topic: pipeline.alarmTopic });
    if (settings.alarmEmail !== undefined) {
      new MonthlyBudget(this, 'MonthlyBudget', { settings, alarmEmail: settings.alarmEmail });
    }
    // Charged by the gigabyte and by the restore, each month.
    if (storage.encryptionKey !== undefined) {
      new TableBackups(this, 'Backups', {
        settings,
        tables: [storage.tasksTable, storage.ledgerTable],
        encryptionKey: storage.encryptionKey,
        topic: pipeline.alarmTopic,
      });
    }
  }
}
