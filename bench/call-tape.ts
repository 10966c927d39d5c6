import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as s3 from '@aws-sdk/client-s3';
import * as sqs from '@aws-sdk/client-sqs';
import type { AwsClients } from '#adapters/aws-clients.ts';

/** One call as our code made it: which, with what. */
export interface TapedCall {
  readonly command: keyof typeof REPLAY;
  readonly input: object;
}

/** Where the calls of the anchor go: other tables and another queue, so that the same conditions hold the same way. */
export interface ReplayTarget {
  readonly clients: AwsClients;
  readonly queueUrl: string;
}

type Send = (target: ReplayTarget, input: object) => Promise<Uint8Array | undefined>;

// The inputs were taken from these very commands; the types of a dozen inputs would say it no better.
/* eslint-disable @typescript-eslint/no-unsafe-argument -- an input is replayed into the command it came from */
const REPLAY = {
  UpdateItemCommand: toTable((input) => new dynamodb.UpdateItemCommand(input as never)),
  GetItemCommand: toTable((input) => new dynamodb.GetItemCommand(input as never)),
  PutItemCommand: toTable((input) => new dynamodb.PutItemCommand(input as never)),
  QueryCommand: toTable((input) => new dynamodb.QueryCommand(input as never)),
  PutObjectCommand: async ({ clients }, input) => {
    await clients.s3.send(new s3.PutObjectCommand(input as never));
    return undefined;
  },
  GetObjectCommand: async ({ clients }, input) => {
    const { Body } = await clients.s3.send(new s3.GetObjectCommand(input as never));
    return Body?.transformToByteArray();
  },
  SendMessageBatchCommand: async ({ clients, queueUrl }, input) => {
    await clients.sqs.send(new sqs.SendMessageBatchCommand({ ...input, QueueUrl: queueUrl } as never));
    return undefined;
  },
} satisfies Record<string, Send>;
/* eslint-enable @typescript-eslint/no-unsafe-argument */

/** Writes down every call that these clients make, in order. */
export function tapeCalls(clients: AwsClients, tape: TapedCall[]): void {
  for (const client of [clients.dynamodb, clients.s3, clients.sqs]) {
    client.middlewareStack.add(
      (next: (args: { input: object }) => Promise<never>, context: { commandName?: string }) =>
        (args: { input: object }) => {
          const command = context.commandName ?? '';
          if (!isKnown(command)) throw new Error(`${command} cannot be replayed; add it here`);
          tape.push({ command, input: args.input });
          return next(args);
        },
      { step: 'initialize', name: 'tape' },
    );
  }
}

/** Makes a call once more. @returns the object's bytes where one was read */
export function replay({ command, input }: TapedCall, target: ReplayTarget): Promise<Uint8Array | undefined> {
  return REPLAY[command](target, input);
}

function isKnown(command: string): command is keyof typeof REPLAY {
  return Object.hasOwn(REPLAY, command);
}

function toTable(make: (input: object) => Parameters<DynamoDBClient['send']>[0]): Send {
  return async ({ clients }, input) => {
    const TableName = 'TableName' in input ? `${String(input.TableName)}-anchor` : undefined;
    await clients.dynamodb.send(make({ ...input, TableName }));
    return undefined;
  };
}
