import {
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type PutItemCommandInput,
  type QueryCommandInput,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, type GetObjectCommandInput } from '@aws-sdk/client-s3';
import { SendMessageBatchCommand, type SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
import type { AwsClients } from '#adapters/aws-clients.ts';

/** One call as our code made it: which, with what. */
export interface TapedCall {
  readonly command: CommandName;
  readonly input: object;
}

/** Where the calls of the anchor go: other tables and another queue, so that the same conditions hold the same way. */
export interface ReplayTarget {
  readonly clients: AwsClients;
  readonly queueUrl: string;
}

// Each input is replayed into the very command that it was taken from.
const REPLAY = {
  UpdateItemCommand: ({ dynamodb }, input) =>
    dynamodb.send(new UpdateItemCommand(input as UpdateItemCommandInput)),
  PutItemCommand: ({ dynamodb }, input) => dynamodb.send(new PutItemCommand(input as PutItemCommandInput)),
  QueryCommand: ({ dynamodb }, input) => dynamodb.send(new QueryCommand(input as QueryCommandInput)),
  GetObjectCommand: async ({ s3 }, input) => {
    const { Body } = await s3.send(new GetObjectCommand(input as GetObjectCommandInput));
    return Body?.transformToByteArray();
  },
  SendMessageBatchCommand: ({ sqs }, input) =>
    sqs.send(new SendMessageBatchCommand(input as SendMessageBatchCommandInput)),
} satisfies Record<string, (clients: AwsClients, input: object) => Promise<unknown>>;

type CommandName = keyof typeof REPLAY;

/** Writes down every call that these clients make, in order. */
export function tapeCalls(clients: AwsClients, tape: TapedCall[]): void {
  const note = (command: string | undefined, input: object): void => {
    if (!isKnown(command)) throw new Error(`${command ?? 'a call'} cannot be replayed yet`);
    tape.push({ command, input });
  };
  const options = { step: 'initialize', name: 'tape' } as const;
  clients.dynamodb.middlewareStack.add((next, { commandName }) => {
    return (args) => {
      note(commandName, args.input);
      return next(args);
    };
  }, options);
  clients.s3.middlewareStack.add((next, { commandName }) => {
    return (args) => {
      note(commandName, args.input);
      return next(args);
    };
  }, options);
  clients.sqs.middlewareStack.add((next, { commandName }) => {
    return (args) => {
      note(commandName, args.input);
      return next(args);
    };
  }, options);
}

/** Makes a call once more. @returns the object's bytes where one was read */
export async function replay(
  { command, input }: TapedCall,
  { clients, queueUrl }: ReplayTarget,
): Promise<Uint8Array | undefined> {
  const table = 'TableName' in input ? { TableName: `${String(input.TableName)}-anchor` } : {};
  const queue = 'QueueUrl' in input ? { QueueUrl: queueUrl } : {};
  const answer: unknown = await REPLAY[command](clients, { ...input, ...table, ...queue });
  return answer instanceof Uint8Array ? answer : undefined;
}

function isKnown(command: string | undefined): command is CommandName {
  return command !== undefined && Object.hasOwn(REPLAY, command);
}
