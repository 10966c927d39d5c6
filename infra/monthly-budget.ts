import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import { deploymentNames } from './names.ts';

/**
 * A mail to `alarmEmail` when 80 % of the month's budget is spent, and when the month is forecast to go beyond it.
 * A budget that only tells is free of charge.
 *
 * It counts the whole account: a filter by tag would see nothing until the owner activates that tag for billing, and
 * a budget that sees nothing never tells.
 */
export class MonthlyBudget extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: Settings; readonly alarmEmail: string },
  ) {
    super(scope, id);
    const subscribers = [{ subscriptionType: 'EMAIL', address: props.alarmEmail }];
    const when = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: {
        notificationType,
        threshold,
        thresholdType: 'PERCENTAGE',
        comparisonOperator: 'GREATER_THAN',
      },
      subscribers,
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: deploymentNames(props.settings).prefix,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: props.settings.monthlyBudgetUsd, unit: 'USD' },
      },
      notificationsWithSubscribers: [when('ACTUAL', 80), when('FORECASTED', 100)],
    });
  }
}
