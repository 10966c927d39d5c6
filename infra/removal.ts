import { RemovalPolicy } from 'aws-cdk-lib';
import type { Settings } from './config.ts';

/** What becomes of stored data when its stack is deleted: kept in `prod`, removed in `dev`. */
export function removalPolicy(settings: Settings): RemovalPolicy {
  return settings.stage === 'prod' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}
