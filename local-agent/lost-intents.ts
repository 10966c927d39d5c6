import { archivedAfter, archivedEntry, archiveFolder } from '#protocol/archive.ts';
import { LedgerEntry, openBody } from '#protocol/ledger-entry.ts';
import type { LedgerSession } from '#protocol/ledger-session.ts';
import type { ArchiveReader } from '#protocol/ports.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { stopwatch } from './stopwatch.ts';

/** An intent that stands in the archive, and is gone from the ledger. */
export interface LostIntent {
  readonly taskId: string;
  /** The name of its object in the archive. */
  readonly name: string;
  readonly epoch: number;
  /** The approval that it consumed; absent where it does not open with the keys at hand. */
  readonly nonce?: string;
}

/** The entry up to which this machine's copy was compared with the archive. */
const COMPARED = 'archiveComparedTo';
/** So many are compared again: what stood in the ledger before may come into the archive later than what came after. */
const OVERLAP = 500;
/** For so long a comparison counts in the process that made it, which cannot forget meanwhile what it has begun. */
const MAX_AGE_MS = 24 * 3_600_000;

interface Comparison {
  readonly ageMs: () => number;
  readonly lost: readonly LostIntent[];
  /** What the objects hold that were read because the ledger lacks them: they never change. */
  readonly read: Map<string, LostIntent | undefined>;
}
const LAST = new WeakMap<LedgerSession, Comparison>();

/**
 * What was begun for a task according to the archive, and the ledger does not know of, in the order of the entries. The
 * ledger was put back to an earlier state then, and maybe everything else with it that could tell: this machine's copy and
 * the tasks' items. Compares by the names, a thousand a call, from where the last comparison ended; only objects that the
 * ledger lacks are read. Nothing where there is no archive.
 *
 * @param options.afresh compares now where there are other machines, whose intents may have come and gone since this process
 * did last. Before a new approval that has to be; after it nobody but this machine begins anything. @default false
 * @throws the archive's error when it cannot be read: then nobody knows, and nothing may be approved or carried out.
 */
export async function lostIntentsOf(
  agent: Agent,
  taskId: string,
  { afresh = false }: { readonly afresh?: boolean } = {},
): Promise<readonly LostIntent[]> {
  const { archive, clock, copy, session } = agent;
  if (!archive) return [];
  const isStale = (known: Comparison): boolean =>
    known.ageMs() > MAX_AGE_MS || (afresh && !isAlone(session.state)) || isBehind(copy, taskId, known);
  let last = LAST.get(session);
  if (!last || isStale(last)) {
    const ageMs = stopwatch(clock);
    const read = last?.read ?? new Map<string, LostIntent | undefined>();
    last = { ageMs, lost: await compare(agent, archive, read), read };
    LAST.set(session, last);
  }
  // The table may have been put back whole since.
  return ofTask(last, taskId).filter(({ name }) => !stands(copy, name));
}

/** Whether a person approved knowing of others, as a command of this machine has found them. */
function isBehind(copy: Agent['copy'], taskId: string, last: Comparison): boolean {
  const known = copy.fact(knownOf(taskId));
  return known !== undefined && known !== namesOf(ofTask(last, taskId));
}

function ofTask({ lost }: Comparison, taskId: string): readonly LostIntent[] {
  return lost.filter((intent) => intent.taskId === taskId);
}

function isAlone({ keys }: VaultState): boolean {
  return (keys?.writers ?? []).filter(({ zone }) => zone === 'local').length === 1;
}

/** Notes that the person knows of them, and wants it done all the same. */
export function knowLost({ copy }: Pick<Agent, 'copy'>, taskId: string, lost: readonly LostIntent[]): void {
  if (lost.length > 0) copy.setFact(knownOf(taskId), namesOf(lost));
}

/** Whether the person knew of all of them at the last approval. What consumed this very approval is always in the way. */
export function isKnown(
  { copy }: Pick<Agent, 'copy'>,
  { taskId, approval }: TaskView,
  lost: readonly LostIntent[],
): boolean {
  if (lost.length === 0) return true;
  const nonce = approval?.approval.statement.nonce;
  return !lost.some((intent) => intent.nonce === nonce) && copy.fact(knownOf(taskId)) === namesOf(lost);
}

/** What the person is told of it. @param says who says what of the effect. */
export function lostWords(says: string): string {
  return `${says}, and the ledger has lost that: it was put back to an earlier state. Look what was sent`;
}

function knownOf(taskId: string): string {
  return `lostIntents/${taskId}`;
}

function namesOf(lost: readonly LostIntent[]): string {
  return lost.map(({ name }) => name).join(' ');
}

async function compare(
  { config, copy, keys }: Agent,
  archive: ArchiveReader,
  read: Comparison['read'],
): Promise<readonly LostIntent[]> {
  const compared = Number(copy.fact(COMPARED) ?? 0);
  const after = archivedAfter(config.vaultId, Math.max(0, compared - OVERLAP));
  const lost: LostIntent[] = [];
  let standsTo: number | undefined;
  let isWhole = true;
  for await (const name of archive.names(archiveFolder(config.vaultId), after)) {
    if (stands(copy, name)) {
      if (isWhole) standsTo = archivedEntry(name)?.n ?? standsTo;
      continue;
    }
    isWhole = false;
    if (!read.has(name)) read.set(name, intentOf(name, await archive.read(name), keys));
    const intent = read.get(name);
    if (intent) lost.push(intent);
  }
  if (standsTo !== undefined && standsTo > compared + OVERLAP) copy.setFact(COMPARED, String(standsTo));
  return lost;
}

/** Whether what has this name is in the ledger, as far as this machine has read it. */
function stands(copy: Agent['copy'], name: string): boolean {
  const entry = archivedEntry(name);
  return entry === undefined || copy.hashOf(entry.n) === entry.hash;
}

function intentOf(
  name: string,
  bytes: Uint8Array,
  { keyring }: Pick<Agent['keys'], 'keyring'>,
): LostIntent | undefined {
  // Nobody but readers of the ledger check what is put into the table: the archive has that, too.
  const entry = LedgerEntry.safeParse(parsed(bytes)).data;
  if (entry?.kind !== 'intent' || entry.taskId === undefined) return undefined;
  const intent = { taskId: entry.taskId, name, epoch: entry.epoch ?? 0 };
  const body = opened(entry, keyring);
  return body?.kind === 'intent' ? { ...intent, nonce: body.nonce } : intent;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

function opened(entry: LedgerEntry, keyring: Agent['keys']['keyring']): ReturnType<typeof openBody> {
  try {
    return openBody(entry, keyring);
  } catch {
    return undefined;
  }
}
