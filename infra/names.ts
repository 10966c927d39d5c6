import type { Stack } from 'aws-cdk-lib';
import { ARCHIVE_PREFIX, REWRITTEN_PREFIX } from '#protocol/archive.ts';
import type { Settings } from './config.ts';

/** Prefix of the raw mails in the inbound bucket; SES may write nowhere else. */
export const inboundPrefix = 'inbound/';

/** Prefix of the encrypted blobs in the vault bucket; the functions may read and write nowhere else. */
export const blobsPrefix = 'blobs/';

/** Prefixes in the archive bucket; the function that archives may write nowhere else. */
export const archivePrefixes = [ARCHIVE_PREFIX, REWRITTEN_PREFIX] as const;

/**
 * Physical names that have to be known before the resource exists: the inbound bucket's policy names the receipt
 * rule that may write to it, and that rule cannot be created before the policy allows it.
 */
export function deploymentNames(settings: Settings): {
  readonly prefix: string;
  readonly ruleSet: string;
  readonly rule: string;
  readonly configurationSet: string;
  readonly trail: string;
} {
  const prefix = `ai-employee-${settings.stage}`;
  return { prefix, ruleSet: prefix, rule: 'assistant', configurationSet: prefix, trail: prefix };
}

/** ARN of the receipt rule, for the conditions under which SES may use a resource of this deployment. */
export function receiptRuleArn(stack: Stack, settings: Settings): string {
  const { ruleSet, rule } = deploymentNames(settings);
  return stack.formatArn({
    service: 'ses',
    resource: 'receipt-rule-set',
    resourceName: `${ruleSet}:receipt-rule/${rule}`,
  });
}

/** ARN of the configuration set, for the condition under which SES may report what became of a sent mail. */
export function configurationSetArn(stack: Stack, settings: Settings): string {
  const { configurationSet } = deploymentNames(settings);
  return stack.formatArn({
    service: 'ses',
    resource: 'configuration-set',
    resourceName: configurationSet,
  });
}

/** ARN of the trail, for the conditions under which CloudTrail may write its log files. */
export function trailArn(stack: Stack, settings: Settings): string {
  const { trail } = deploymentNames(settings);
  return stack.formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: trail });
}
