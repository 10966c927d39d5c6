import { randomUUID } from 'node:crypto';
import { GetItemCommand, UpdateItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { TaskItemError } from '#protocol/errors.ts';
import { homeOf, startsOf, type ClaimAnswer, type SeenClaim } from '#protocol/claim.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { statesBefore, Task, transition, type TaskEvent, type TaskState } from '#protocol/task.ts';
import { failedCondition } from './dynamodb-condition.ts';
import { fromItem, toItem, type ItemValue } from './dynamodb-item.ts';

/** One conditional update, with the values of both of its expressions, named without the colon. */
interface Change {
  readonly condition: string;
  readonly update: string;
  readonly values: Readonly<Record<string, ItemValue>>;
  /** Recognises this very change in an item that was read back. */
  readonly isMine?: (task: Task, item: Readonly<Record<string, unknown>>) => boolean;
}

// Of our names these two are reserved words of DynamoDB.
const NAMES = { '#state': 'state', '#owner': 'owner' };
const NOT_HELD = 'attribute_not_exists(#owner)';
// The fencing rule of protocol/claim.ts: only the present holder, by the present epoch.
const HELD = '#owner = :heldBy AND epoch = :heldEpoch';
const UNMOVED = `${HELD} AND heartbeat = :seen`;
const AT_WORK = '#state IN (:drafting, :executing)';
const WORK = { drafting: 'drafting', executing: 'executing' };
const NEW_HOLDER = '#owner = :owner, attemptId = :try, home = :home';

/**
 * The tasks' table. Each method is one `UpdateItem` whose condition says the same as the pure rule in
 * `protocol/claim.ts`; the contract suite compares the two over random histories.
 *
 * A condition that fails on the SDK's second attempt may have failed because the first one succeeded and
 * its reply was lost. Then, and only then, the item is read back to see whose change stands there.
 */
export function createDynamoTaskStore(client: DynamoDBClient, table: string): TaskStore {
  async function read(taskId: string): Promise<Record<string, unknown> | undefined> {
    const Key = toItem({ taskId });
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item && fromItem(Item);
  }

  async function change(taskId: string, wanted: Change): Promise<ClaimAnswer> {
    const { condition, update, values, isMine } = wanted;
    try {
      const used = Object.entries(NAMES).filter(([name]) => `${condition} ${update}`.includes(name));
      const command = new UpdateItemCommand({
        TableName: table,
        Key: toItem({ taskId }),
        ConditionExpression: condition,
        UpdateExpression: update,
        // A name that is not used is an error.
        ExpressionAttributeNames: used.length === 0 ? undefined : Object.fromEntries(used),
        ExpressionAttributeValues: toItem(
          Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
        ),
        ReturnValues: 'ALL_NEW',
      });
      const { Attributes } = await client.send(command);
      return { won: true, task: toTask(fromItem(Attributes ?? {}), table) };
    } catch (error) {
      const failed = failedCondition(error);
      if (!failed) throw error;
      if (failed.attempts <= 1 || !isMine) return { won: false };
      const item = await read(taskId);
      if (!item) return { won: false };
      const task = toTask(item, table);
      return isMine(task, item) ? { won: true, task } : { won: false };
    }
  }

  return {
    get: async (taskId) => {
      const item = await read(taskId);
      return item && toTask(item, table);
    },

    begin: async (taskId) => {
      // A repetition finds its own `received` and wins again, so nothing needs to be read back.
      const { won } = await change(taskId, {
        condition: 'attribute_not_exists(taskId) OR #state = :received',
        update:
          'SET #state = :received, home = :cloud, epoch = :zero, heartbeat = :zero, leaseMs = :zero, effects = :zero ADD version :one',
        values: { received: 'received', cloud: 'cloud', zero: 0, one: 1 },
      });
      return won;
    },

    settle: (taskId, event, home) => {
      const from = inStates(statesBefore(event));
      const state = stateAfter(event);
      // A state alone does not tell whose settling it was: the mark of this one call does.
      const settledBy = randomUUID();
      return change(taskId, {
        condition: `${NOT_HELD} AND ${from.condition}`,
        update: `SET ${state === undefined ? '' : '#state = :to, '}home = :home, settledBy = :mark ADD version :one`,
        values: {
          ...from.values,
          ...(state === undefined ? {} : { to: state }),
          home,
          mark: settledBy,
          one: 1,
        },
        isMine: (_task, item) => item['settledBy'] === settledBy,
      });
    },

    claim: (request) => {
      const { taskId, owner, attemptId, to, zone, leaseMs } = request;
      const from = inStates(startsOf(request));
      const free = `${NOT_HELD} AND ${from.condition}${homeOf(request) === undefined ? '' : ' AND home = :home'}`;
      // AND binds before OR; brackets would cost the emulator more time than all the rest.
      const again = '#owner = :owner AND attemptId = :try AND #state = :to';
      return change(taskId, {
        condition: from.condition === '' ? again : `${free} OR ${again}`,
        update: `SET #state = :to, leaseMs = :lease, ${NEW_HOLDER} ADD epoch :one, heartbeat :one, version :one`,
        values: { ...from.values, to, lease: leaseMs, owner, try: attemptId, home: zone, one: 1 },
        isMine: (task) => task.owner === owner && task.attemptId === attemptId && task.state === to,
      });
    },

    renew: ({ taskId, owner, epoch }) =>
      change(taskId, {
        condition: HELD,
        update: 'ADD heartbeat :one, version :one',
        values: { heldBy: owner, heldEpoch: epoch, one: 1 },
      }),

    release: ({ taskId, owner, epoch, to, home, effects = 0 }) =>
      change(taskId, {
        condition: HELD,
        update: 'SET #state = :to, home = :home REMOVE #owner ADD effects :effects, version :one',
        values: { heldBy: owner, heldEpoch: epoch, to, home, effects, one: 1 },
        // Nobody but the holder of this epoch could have put it down in this epoch.
        isMine: (task) => task.owner === undefined && task.epoch === epoch && task.state === to,
      }),

    transfer: ({ taskId, owner, epoch, newOwner, attemptId, zone, above = 0 }) => {
      const next = Math.max(epoch, above) + 1;
      return change(taskId, {
        condition: `${HELD} AND ${AT_WORK}`,
        update: `SET ${NEW_HOLDER}, epoch = :next ADD heartbeat :one, version :one`,
        values: {
          heldBy: owner,
          heldEpoch: epoch,
          ...WORK,
          owner: newOwner,
          try: attemptId,
          home: zone,
          next,
          one: 1,
        },
        isMine: (task) => task.owner === newOwner && task.attemptId === attemptId && task.epoch === next,
      });
    },

    takeover: ({ taskId, owner, attemptId, zone, seen }) => {
      const next = seen.epoch + 1;
      return change(taskId, {
        condition: `${UNMOVED} AND ${AT_WORK}${zone === 'cloud' ? ' AND home = :home' : ''}`,
        update: `SET ${NEW_HOLDER} ADD epoch :one, heartbeat :one, version :one`,
        values: { ...asSeen(seen), ...WORK, owner, try: attemptId, home: zone, one: 1 },
        isMine: (task) => task.owner === owner && task.attemptId === attemptId && task.epoch === next,
      });
    },

    suspect: ({ taskId, seen, at }) =>
      change(taskId, {
        condition: UNMOVED,
        update: 'SET suspectHeartbeat = :seen, suspectAt = :at ADD version :one',
        values: { ...asSeen(seen), at, one: 1 },
      }),

    mend: ({ taskId, seenVersion, state, home, epoch, holder }) => {
      const { owner, leaseMs = 0 } = holder ?? {};
      const held = owner === undefined ? 'REMOVE #owner,' : ', #owner = :owner REMOVE';
      return change(taskId, {
        condition: seenVersion === undefined ? 'attribute_not_exists(taskId)' : 'version = :version',
        update: `SET #state = :to, home = :home, epoch = :epoch, leaseMs = :lease ${held} attemptId, suspectHeartbeat, suspectAt ADD heartbeat :zero, effects :zero, version :one`,
        values: {
          ...(seenVersion === undefined ? {} : { version: seenVersion }),
          ...(owner === undefined ? {} : { owner }),
          ...{ to: state, home, epoch, lease: leaseMs, zero: 0, one: 1 },
        },
        // A mark would tell whose it was; for what it is good for, an equal one of another is as good.
        isMine: (task) =>
          task.version === (seenVersion ?? 0) + 1 &&
          task.state === state &&
          task.epoch === epoch &&
          task.owner === owner,
      });
    },
  };
}

/** What an event makes of the state; nothing where every state stays what it is. */
function stateAfter(event: TaskEvent): TaskState | undefined {
  const before = statesBefore(event);
  if (before.every((state) => transition({ state }, event) === state)) return undefined;
  const [after, ...others] = new Set(before.map((state) => transition({ state }, event)));
  // One update cannot say "this state if that one, else another".
  if (after === undefined || others.length > 0) throw new Error(`${event} leads to more than one state`);
  return after;
}

function asSeen(seen: SeenClaim): Record<string, ItemValue> {
  return { heldBy: seen.owner, heldEpoch: seen.epoch, seen: seen.heartbeat };
}

function inStates(states: readonly TaskState[]): { condition: string; values: Record<string, ItemValue> } {
  const values = Object.fromEntries(states.map((state, index) => [`from${index}`, state]));
  const names = Object.keys(values).map((name) => `:${name}`);
  return { condition: names.length === 0 ? '' : `#state IN (${names.join(', ')})`, values };
}

function toTask(item: Readonly<Record<string, unknown>>, table: string): Task {
  // Whoever can write the table could add a member, and one odd item must not stop the work on the others.
  const known = Object.entries(item).filter(([name]) => name in Task.shape);
  const parsed = Task.safeParse(Object.fromEntries(known));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new TaskItemError(
    `the item of task ${String(item['taskId'])} in the table ${table} cannot be read (${issue?.path.join('.') ?? ''}): ` +
      'delete it there, and "employee repair" makes it again from the ledger',
    { cause: parsed.error },
  );
}
