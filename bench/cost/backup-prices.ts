import { z } from 'zod';
import { ASSUMPTIONS } from './assumptions.ts';
import type { Charge } from './price-list.ts';
import type { TemplateResource } from './templates.ts';

const Plan = z.object({
  BackupPlan: z.object({
    BackupPlanRule: z.array(
      z.object({
        ScheduleExpression: z.string(),
        // Without one the copies are kept, and paid, for ever.
        Lifecycle: z.object({ DeleteAfterDays: z.number().positive() }),
      }),
    ),
  }),
});

/** A plan's copies at their full number: of every table, since each backup of a table is a whole one. */
export function backupCharges(
  { properties }: TemplateResource,
  all: readonly TemplateResource[],
): Omit<Charge, 'what'>[] {
  const tables = all.filter(({ type }) => type === 'AWS::DynamoDB::Table').length;
  const copies = Plan.parse(properties)
    .BackupPlan.BackupPlanRule.map(({ ScheduleExpression, Lifecycle }) =>
      Math.ceil((Lifecycle.DeleteAfterDays / 30) * runsAMonth(ScheduleExpression)),
    )
    .reduce((sum, count) => sum + count, 0);
  return [{ price: 'backup-storage', quantity: copies * tables * ASSUMPTIONS.tableGb }];
}

const Selection = z.object({
  // All resources of a type cannot be counted from a template.
  ProtectedResourceArns: z.array(z.unknown().refine((arn) => arn !== '*', 'name the resources to be tested')),
});

/** The newest recovery point of each resource in each selection, whenever the plan says. */
export function restoreTestCharges(
  { properties }: TemplateResource,
  all: readonly TemplateResource[],
): Omit<Charge, 'what'>[] {
  const { ScheduleExpression } = z.object({ ScheduleExpression: z.string() }).parse(properties);
  const tested = all
    .filter(({ type }) => type === 'AWS::Backup::RestoreTestingSelection')
    .flatMap((selection) => Selection.parse(selection.properties).ProtectedResourceArns).length;
  return [{ price: 'backup-restore-test', quantity: tested * runsAMonth(ScheduleExpression) }];
}

/**
 * How often a month a schedule of AWS Backup fires.
 *
 * @throws {RangeError} when it is none of the forms that are known: daily, on days of the week, on days of the month
 * @example runsAMonth('cron(0 5 ? * 1 *)') // 4.35, once a week
 */
export function runsAMonth(schedule: string): number {
  const [, minute = '', hour = '', days = '', month = '', weekdays = ''] =
    /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) \S+\)$/.exec(schedule) ?? [];
  const isOnce = /^\d+$/.test(minute) && /^\d+$/.test(hour) && month === '*';
  const isEvery = (field: string): boolean => field === '*' || field === '?';
  const count = (field: string): number =>
    /^[\dA-Z,#L]+$/.test(field) ? field.split(',').length : Number.NaN;
  const runs = isEvery(days)
    ? isEvery(weekdays)
      ? ASSUMPTIONS.hoursAMonth / 24
      : (count(weekdays) * ASSUMPTIONS.hoursAMonth) / 24 / 7
    : count(days);
  if (!isOnce || Number.isNaN(runs)) throw new RangeError(`the schedule ${schedule} cannot be counted yet`);
  return runs;
}
