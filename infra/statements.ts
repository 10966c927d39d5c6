import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';

/** Lets actions through on resources, unconditionally. */
export function allow(
  sid: string,
  actions: readonly string[],
  resources: readonly string[],
): PolicyStatement {
  return new PolicyStatement({ sid, actions: [...actions], resources: [...resources] });
}

/** Denies actions on resources, whatever else lets them through. */
export function deny(sid: string, actions: readonly string[], resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ sid, effect: Effect.DENY, actions: [...actions], resources: [...resources] });
}

/**
 * Reading and writing what lies under a customer key, by way of some services alone; nothing where there is no key.
 *
 * @param services as in their host names, `s3`
 */
export function useKey(key: IKey | undefined, services: readonly string[]): PolicyStatement[] {
  if (key === undefined) return [];
  return [
    new PolicyStatement({
      sid: 'DataAtRest',
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [key.keyArn],
      conditions: { StringEquals: viaServices(key, services) },
    }),
  ];
}

/** What has to be equal so that a key is used by way of some services alone, in the region of the key's stack. */
export function viaServices(key: IKey, services: readonly string[]): Readonly<Record<string, string[]>> {
  const { region } = Stack.of(key);
  return { 'kms:ViaService': services.map((name) => `${name}.${region}.amazonaws.com`) };
}
