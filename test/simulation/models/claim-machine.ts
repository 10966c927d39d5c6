import type { Agent, AgentPorts } from '#local-agent/agent.ts';
import { claimPlans } from '#local-agent/claims/claim-plan.ts';
import { claimTask } from '#local-agent/claims/claim-task.ts';
import { releaseTask, transferTask } from '#local-agent/claims/release-task.ts';
import { settleClaims } from '#local-agent/claims/settle-claims.ts';
import { takeOver } from '#local-agent/claims/take-over.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { makeAgent } from '#local-agent/make-agent.ts';
import type { ToolOutcome } from '#local-agent/tool-host.ts';
import type { SeenClaim } from '#protocol/claim.ts';
import { EmployeeError, LedgerIntegrityError } from '#protocol/errors.ts';
import type { LedgerEntry, LedgerHead } from '#protocol/ledger-entry.ts';
import type { LedgerStore, TaskStore } from '#protocol/ports.ts';
import type { Task } from '#protocol/task.ts';
import { createFixedClock } from '#test/support/memory/fixed-clock.ts';
import { createMemoryFiles } from '#test/support/memory/memory-files.ts';
import type { LedgerRequest } from './ledger-writer.ts';
import { NoReplyError } from './stepped-code.ts';
import type { Ask, Machine } from './stepped-code.ts';

/** What the person at a machine, or its daemon, begins. */
export type Command =
  | 'claim'
  | 'release'
  | 'execute'
  | 'look'
  | 'take over to work'
  | 'take over to settle'
  | { readonly transferTo: string };

/** A request of a machine to what all share. */
export type MachineRequest =
  | Exclude<LedgerRequest, { op: 'allocate' }>
  | { readonly op: 'tasks'; readonly method: keyof TaskStore; readonly args: readonly unknown[] }
  | { readonly op: 'call tool' };

/** What is known of a machine from outside. */
export interface MachineSeen {
  readonly head: LedgerHead;
  /** Changes of holders that were begun and not carried to their end. */
  readonly plans: number;
  /** What a restart goes on from, beside the ledger up to the head. */
  readonly disk: string;
  readonly broken?: string;
}

/** A machine of the owner. */
export interface MachineOptions {
  readonly base: Pick<AgentPorts, 'config' | 'keys' | 'blobs' | 'inventory'>;
  readonly taskId: string;
  readonly commands: readonly Command[];
  /** The ledger as it stands at the beginning. */
  readonly known: readonly LedgerEntry[];
  readonly note: { readonly path: string; readonly text: string } | undefined;
}

// Longer than any exploration: the heartbeat has its own model.
const LEASE_MS = 3_600_000;
const METHODS = [
  'get',
  'claim',
  'renew',
  'release',
  'transfer',
  'takeover',
  'suspect',
  'mend',
  'settle',
  'begin',
] as const;

/**
 * A machine that begins a few things, one after another, and then syncs and executes until no reply is missing: the
 * real use cases of `local-agent/` over the real `LedgerSession` and `LedgerCopy`. After a death it settles what it
 * had begun, as a sync does, and goes on with what is next. Its disk is its own, so nothing on it is a step.
 */
export function claimMachine(ask: Ask<MachineRequest>, options: MachineOptions): Machine<MachineSeen> {
  const { base, taskId, commands, known, note } = options;
  const copy = new LedgerCopy(':memory:', base.keys.keyring);
  copy.keep(known.map((entry) => ({ entry })));
  const files = createMemoryFiles();
  if (note) files.person.save(note.path, note.text);
  let ids = 0;
  const ports: AgentPorts = {
    ...{ ...base, copy, files, clock: createFixedClock(), log: () => undefined },
    ledger: askingLedger(ask),
    tasks: askingTasks(ask),
    tools: {
      prepare: async () => undefined,
      call: async () => (await ask({ op: 'call tool' })) as ToolOutcome,
      close: async () => undefined,
    },
    ids: { next: () => `${base.config.agent}-id-of-the-model-${++ids}` },
  };
  let agent: Agent | undefined;
  let seen: SeenClaim | undefined;
  let begun = 0;
  let broken: string | undefined;

  async function carryOut(self: Agent, command: Command): Promise<void> {
    if (typeof command === 'object') return transferTask(self, taskId, command.transferTo);
    if (command === 'claim') return claimTask(self, taskId);
    if (command === 'release') return releaseTask(self, taskId, 'needs_action');
    if (command === 'execute') return void (await executeApproved(self, { leaseMs: LEASE_MS }));
    if (command === 'look') {
      const item = await self.tasks.get(taskId);
      seen = undefined;
      if (item?.owner === undefined || item.owner === base.config.agent) return;
      const { owner, epoch, heartbeat } = item;
      seen = { owner, epoch, heartbeat };
      return;
    }
    await self.session.pull();
    if (seen) await takeOver(self, taskId, seen, command === 'take over to work' ? 'work' : 'settle');
  }

  /** @returns whether every answer came. What is refused is an answer. */
  async function answered(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof LedgerIntegrityError) broken = error.message;
      if (error instanceof EmployeeError) return true;
      if (error instanceof NoReplyError) return false;
      throw error;
    }
  }

  async function sync(self: Agent): Promise<void> {
    await self.session.pull();
    await settleClaims(self);
    await executeApproved(self, { leaseMs: LEASE_MS });
  }

  return {
    seen: () => ({
      head: agent?.session.state.head ?? { n: 0, hash: '' },
      plans: Object.keys(claimPlans({ copy })).length,
      disk: JSON.stringify([
        claimPlans({ copy }),
        copy.openClaims(),
        copy.calledEffects(),
        copy.noteAt(taskId)?.path,
      ]),
      ...(broken === undefined ? {} : { broken }),
    }),
    run: async (start) => {
      const self = makeAgent(ports);
      agent = self;
      if (start > 1) {
        await answered(async () => {
          await self.session.pull();
          await settleClaims(self);
        });
      }
      for (let command = commands[begun]; command !== undefined; command = commands[begun]) {
        begun += 1;
        const next = command;
        await answered(() => carryOut(self, next));
      }
      while (!(await answered(() => sync(self))));
    },
  };
}

function askingLedger(ask: Ask<MachineRequest>): LedgerStore {
  return {
    append: async (entry) => (await ask({ op: 'append', entry })) as 'appended' | 'taken',
    read: async (_vaultId, after, known) =>
      (await ask({ op: 'read', after, known })) as { entries: readonly unknown[]; more: boolean },
  };
}

function askingTasks(ask: Ask<MachineRequest>): TaskStore {
  const methods = METHODS.map((method) => [
    method,
    (...args: unknown[]): Promise<unknown> => ask({ op: 'tasks', method, args }),
  ]);
  return Object.fromEntries(methods) as TaskStore;
}

/** An item in a few letters, to tell a reply by. */
export function itemText(item: Task | undefined): string {
  if (!item) return 'none';
  const { state, home, owner = '-', attemptId = '-', epoch, heartbeat, version } = item;
  return `${state} ${home} ${owner} ${attemptId} e${epoch} h${heartbeat} v${version}`;
}
