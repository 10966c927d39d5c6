import { randomUUID } from 'node:crypto';
import {
  GetItemCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { ClaimAnswer } from '#protocol/claim.ts';
import type { TaskStore } from '#protocol/ports.ts';
import { statesBefore, Task, transition, type TaskEvent, type TaskState } from '#protocol/task.ts';
import { failedCondition } from './dynamodb-condition.ts';

type Value = string | number;

/** One conditional update: what to set, which counters to raise, on which condition. */
interface Change {
  readonly condition: string;
  /** Values of the condition, named without the colon. */
  readonly values?: Readonly<Record<string, Value>>;
  readonly set: Readonly<Record<string, Value>>;
  readonly raise: Readonly<Record<string, number>>;
  readonly remove?: readonly string[];
  /** Recognises this very change in an item that was read back. */
  readonly isMine?: (task: Task, item: Readonly<Record<string, unknown>>) => boolean;
}

const NOT_HELD = 'attribute_not_exists(#owner)';
// The fencing rule of protocol/claim.ts: only the present holder, by the present epoch.
const HELD = '#owner = :heldBy AND #epoch = :heldEpoch';
const SUSPICION = ['suspectHeartbeat', 'suspectAt'];

/**
 * The tasks' table. Each method is one `UpdateItem` whose condition says the same as the pure rule in
 * `protocol/claim.ts`; the contract suite compares the two over random histories.
 *
 * A condition that fails on the SDK's second attempt may have failed because the first one succeeded and
 * its reply was lost. Then, and only then, the item is read back to see whose change stands there.
 */
export function createDynamoTaskStore(client: DynamoDBClient, table: string): TaskStore {
  async function read(taskId: string): Promise<Record<string, unknown> | undefined> {
    const Key = marshall({ taskId });
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item && unmarshall(Item);
  }

  async function change(taskId: string, wanted: Change): Promise<ClaimAnswer> {
    try {
      const command = new UpdateItemCommand({
        TableName: table,
        Key: marshall({ taskId }),
        ...expressions(wanted),
        ReturnValues: 'ALL_NEW',
      });
      const { Attributes } = await client.send(command);
      return { won: true, task: toTask(unmarshall(Attributes ?? {})) };
    } catch (error) {
      const failed = failedCondition(error);
      if (!failed) throw error;
      if (failed.attempts <= 1 || !wanted.isMine) return { won: false };
      const item = await read(taskId);
      if (!item) return { won: false };
      const task = toTask(item);
      return wanted.isMine(task, item) ? { won: true, task } : { won: false };
    }
  }

  return {
    get: async (taskId) => {
      const item = await read(taskId);
      return item && toTask(item);
    },

    begin: async (taskId) => {
      // A repetition finds its own `received` and wins again, so nothing needs to be read back.
      const { won } = await change(taskId, {
        condition: 'attribute_not_exists(#taskId) OR #state = :received',
        values: { received: 'received' },
        set: { state: 'received', home: 'cloud', epoch: 0, heartbeat: 0, leaseMs: 0, effects: 0 },
        raise: { version: 1 },
      });
      return won;
    },

    settle: (taskId, event, home) => {
      const from = inStates(statesBefore(event));
      // A state alone does not tell whose settling it was: the mark of this one call does.
      const settledBy = randomUUID();
      return change(taskId, {
        condition: `${NOT_HELD} AND ${from.condition}`,
        values: from.values,
        set: { ...stateAfter(event), home, settledBy },
        raise: { version: 1 },
        remove: SUSPICION,
        isMine: (_task, item) => item['settledBy'] === settledBy,
      });
    },

    claim: (request) => {
      const { taskId, owner, attemptId, from, to, zone, leaseMs } = request;
      const again = '#owner = :claimant AND #attemptId = :try AND #state = :claimed';
      const free = from.length === 0 ? undefined : inStates(from);
      return change(taskId, {
        condition: free ? `(${NOT_HELD} AND ${free.condition}) OR (${again})` : again,
        values: { ...free?.values, claimant: owner, try: attemptId, claimed: to },
        set: { state: to, home: zone, owner, attemptId, leaseMs },
        raise: { epoch: 1, heartbeat: 1, version: 1 },
        remove: SUSPICION,
        isMine: (task) => task.owner === owner && task.attemptId === attemptId && task.state === to,
      });
    },

    renew: ({ taskId, owner, epoch }) =>
      change(taskId, {
        ...heldBy(owner, epoch),
        set: {},
        raise: { heartbeat: 1, version: 1 },
        remove: SUSPICION,
      }),

    release: ({ taskId, owner, epoch, to, home, effects }) =>
      change(taskId, {
        ...heldBy(owner, epoch),
        set: { state: to, home },
        raise: { effects: effects ?? 0, version: 1 },
        remove: ['owner', ...SUSPICION],
        // Nobody but the holder of this epoch could have put it down in this epoch.
        isMine: (task) => task.owner === undefined && task.epoch === epoch && task.state === to,
      }),

    transfer: ({ taskId, owner, epoch, newOwner, attemptId, zone }) =>
      change(taskId, {
        ...heldBy(owner, epoch),
        set: { owner: newOwner, attemptId, home: zone },
        raise: { epoch: 1, heartbeat: 1, version: 1 },
        remove: SUSPICION,
        isMine: (task) => task.owner === newOwner && task.attemptId === attemptId && task.epoch === epoch + 1,
      }),

    takeover: ({ taskId, owner, attemptId, zone, seen }) => {
      const held = heldBy(seen.owner, seen.epoch);
      return change(taskId, {
        condition: `${held.condition} AND #heartbeat = :seenHeartbeat`,
        values: { ...held.values, seenHeartbeat: seen.heartbeat },
        set: { owner, attemptId, home: zone },
        raise: { epoch: 1, heartbeat: 1, version: 1 },
        remove: SUSPICION,
        isMine: (task) =>
          task.owner === owner && task.attemptId === attemptId && task.epoch === seen.epoch + 1,
      });
    },
  };
}

/** What an event makes of the state; nothing where every state stays what it is. */
function stateAfter(event: TaskEvent): { state?: TaskState } {
  const before = statesBefore(event);
  if (before.every((state) => transition({ state }, event) === state)) return {};
  const [after, ...others] = new Set(before.map((state) => transition({ state }, event)));
  // One update cannot say "this state if that one, else another".
  if (after === undefined || others.length > 0) throw new Error(`${event} leads to more than one state`);
  return { state: after };
}

function heldBy(owner: string, epoch: number): { condition: string; values: Record<string, Value> } {
  return { condition: HELD, values: { heldBy: owner, heldEpoch: epoch } };
}

function inStates(states: readonly TaskState[]): { condition: string; values: Record<string, Value> } {
  const values = Object.fromEntries(states.map((state, index) => [`from${index}`, state]));
  const names = Object.keys(values).map((name) => `:${name}`);
  return { condition: `#state IN (${names.join(', ')})`, values };
}

function expressions(change: Change): {
  ConditionExpression: string;
  UpdateExpression: string;
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues: Record<string, AttributeValue>;
} {
  const { condition, values, set, raise, remove = [] } = change;
  const assignments = [
    ...Object.keys(set).map((name) => `#${name} = :set_${name}`),
    ...Object.keys(raise).map((name) => `#${name} = if_not_exists(#${name}, :zero) + :add_${name}`),
  ];
  const removals = remove.length === 0 ? '' : ` REMOVE ${remove.map((name) => `#${name}`).join(', ')}`;
  const update = `SET ${assignments.join(', ')}${removals}`;
  // Every name goes through a placeholder: several of ours are reserved words.
  const names = [...`${condition} ${update}`.matchAll(/#(\w+)/g)].map(([, name = '']) => name);
  return {
    ConditionExpression: condition,
    UpdateExpression: update,
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: marshall({
      ...prefixed(':', values ?? {}),
      ...prefixed(':set_', set),
      ...prefixed(':add_', raise),
      ':zero': 0,
    }),
  };
}

function prefixed(prefix: string, values: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function toTask(item: Readonly<Record<string, unknown>>): Task {
  // Whoever can write the table could add a member, and one odd item must not stop the work on the others.
  const known = Object.entries(item).filter(([name]) => name in Task.shape);
  return Task.parse(Object.fromEntries(known));
}
