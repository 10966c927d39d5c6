import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import { createRuledTaskStore } from '#protocol/ruled-task-store.ts';
import type { Task } from '#protocol/task.ts';
import { itemText } from './claim-machine.ts';
import type { MachineRequest } from './claim-machine.ts';

/** What all machines share. */
export interface Shared {
  readonly rows: readonly LedgerEntry[];
  readonly item: Task | undefined;
  /** Mails that went out. */
  readonly sent: number;
}

/** What the ledger, the task store and the tool do. */
export async function takesEffect<World extends Shared>(
  world: World,
  request: MachineRequest,
): Promise<{ readonly world: World; readonly value: unknown; readonly text: string }> {
  if (request.op === 'append') {
    const isTaken = world.rows.some(({ n }) => n === request.entry.n);
    if (isTaken) return { world, value: 'taken', text: 'taken' };
    const rows = [...world.rows, request.entry].sort((a, b) => a.n - b.n);
    return { world: { ...world, rows }, value: 'appended', text: 'appended' };
  }
  if (request.op === 'read') {
    const found = world.rows.filter(({ n }) => n > request.after);
    const entries = found.filter(({ sig }) => !request.known?.some((known) => known.sig === sig));
    const value = { entries, more: false, leftOut: found.length - entries.length };
    return { world, value, text: `[${entries.map(entryText).join()}]` };
  }
  if (request.op === 'call tool') {
    const value = { status: 'succeeded', providerId: 'a-mail' };
    return { world: { ...world, sent: world.sent + 1 }, value, text: 'sent' };
  }
  let { item } = world;
  const store = createRuledTaskStore({
    get: async () => item,
    decide: async (_, rule) => {
      const answer = rule(item);
      if (answer.won) item = answer.task;
      return answer;
    },
  });
  const call = store[request.method].bind(store) as (...args: readonly unknown[]) => Promise<unknown>;
  const value = await call(...request.args);
  const changed = item === world.item ? world : { ...world, item };
  const text = request.method !== 'get' && item === world.item ? 'refused' : itemText(item);
  return { world: changed, value, text };
}

/** The mark tells entries apart that an attempt makes in different histories. */
export function entryText({ n, kind, epoch, writer, sig }: LedgerEntry): string {
  return `${n} ${kind} by ${writer}${epoch === undefined ? '' : ` e${epoch}`} ${sig.slice(0, 6)}`;
}
