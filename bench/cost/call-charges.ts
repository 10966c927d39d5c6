import type { AttemptedCall } from '#local-cloud/call-log.ts';
import { ASSUMPTIONS } from './assumptions.ts';
import type { Features } from './features.ts';
import { unitsOf, type TableContents } from './item-sizes.ts';
import type { Charge } from './price-list.ts';
import { UnpricedCallError } from './unpriced-call.ts';

/** A call with who made it: a function, `agent`, or `delivery` for SES, SNS and Lambda's pollers. */
export interface CountedCall extends AttemptedCall {
  readonly caller: string;
}

/** A function at work for some mails. */
export interface CountedFunction {
  readonly name: string;
  readonly memoryMb: number;
  readonly invocations: number;
  /** Of its own lines, with the platform's bytes around each. */
  readonly logBytes: number;
}

/** What happened for some mails, all of it. */
export interface CountedScene {
  /** Mails that it was done for. */
  readonly mails: number;
  /** Of them, those that SES took in. */
  readonly received: number;
  readonly calls: readonly CountedCall[];
  readonly functions: readonly CountedFunction[];
  readonly contents: TableContents;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Everything that is paid for a scene, by who caused it.
 *
 * @throws {UnpricedCallError}
 */
export function sceneCharges(scene: CountedScene, features: Features): Charge[] {
  const charges = [
    ...scene.calls.flatMap((call) => chargesOf(call, scene.contents)),
    ...scene.functions.flatMap((each) => functionCharges(each, scene)),
    { what: 'delivery', price: 'ses-receive', quantity: scene.received },
    ...featureCharges(scene, features),
  ];
  return summed(charges);
}

function chargesOf(call: CountedCall, contents: TableContents): Charge[] {
  const what = call.caller;
  const chunks = Math.ceil(Buffer.byteLength(JSON.stringify(call.input)) / CHUNK_BYTES);
  switch (call.service) {
    case 'dynamodb':
      return [{ what, ...unitsOf(call, contents) }];
    case 's3':
      if (call.operation === 'GetObject' || call.operation === 'HeadObject')
        return [{ what, price: 's3-get', quantity: 1 }];
      if (call.operation === 'PutObject' || call.operation === 'ListObjectsV2')
        return [{ what, price: 's3-put', quantity: 1 }];
      break;
    case 'sqs':
      // An empty poll belongs to the idle month; the one that brought a batch is counted with its deletion.
      if (call.operation === 'ReceiveMessage') return [];
      if (call.operation === 'DeleteMessageBatch') return [{ what, price: 'sqs-request', quantity: 2 }];
      if (call.operation.startsWith('SendMessage')) return [{ what, price: 'sqs-request', quantity: chunks }];
      break;
    case 'sns':
      // The topic's message to the queue is a request there.
      if (call.operation === 'Publish')
        return ['sns-publish', 'sqs-request'].map((price) => ({ what, price, quantity: chunks }));
      break;
    case 'ses':
      if (call.operation === 'SendRawEmail') return [{ what, price: 'ses-send', quantity: 1 }];
      break;
    case 'secretsmanager':
      return [{ what, price: 'secret-call', quantity: 1 }];
    case 'sts':
      return [];
    case 'cloudwatch':
      break;
  }
  throw new UnpricedCallError(call);
}

function functionCharges(each: CountedFunction, { calls, mails }: CountedScene): Charge[] {
  const { name: what, memoryMb, invocations } = each;
  if (invocations === 0) return [];
  const waitMs = calls.filter(({ caller }) => caller === what).length * ASSUMPTIONS.callMs;
  const seconds = (waitMs + mails * ASSUMPTIONS.workMs) / 1000;
  const logBytes = each.logBytes + invocations * ASSUMPTIONS.platformLogBytes;
  return [
    { what, price: 'lambda-request', quantity: invocations },
    { what, price: 'lambda-gb-second', quantity: (memoryMb / 1024) * seconds },
    { what, price: 'logs-ingest', quantity: logBytes / 1e9 },
  ];
}

function featureCharges({ calls, functions }: CountedScene, features: Features): Charge[] {
  // DynamoDB asks for a table's key once in five minutes for each caller: a lone mail comes after more than that.
  const tables = new Set(
    calls
      .filter(({ service }) => service === 'dynamodb')
      .map(({ caller, input }) => `${caller} ${String(input['TableName'])}`),
  );
  const objects = calls.filter(({ service }) => service === 's3').length;
  const published = calls.filter(({ service }) => service === 'sns').length;
  const invocations = functions.reduce((sum, each) => sum + each.invocations, 0);
  const keyRequests = tables.size + objects + 2 * published;
  return [
    ...(features.customerKey ? [{ what: 'customer key', price: 'kms-request', quantity: keyRequests }] : []),
    ...(features.dataTrail
      ? [{ what: 'data trail', price: 'cloudtrail-data-event', quantity: objects }]
      : []),
    ...(features.tracing ? [{ what: 'tracing', price: 'xray-trace', quantity: invocations }] : []),
  ];
}

function summed(charges: readonly Charge[]): Charge[] {
  const sums = new Map<string, Charge>();
  for (const charge of charges) {
    const key = `${charge.what} ${charge.price}`;
    sums.set(key, { ...charge, quantity: (sums.get(key)?.quantity ?? 0) + charge.quantity });
  }
  return [...sums.values()];
}
