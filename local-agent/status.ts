import type { TaskState } from '#protocol/task.ts';
import type { ConflictView } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import type { ConfigLocation } from './config-location.ts';
import type { DaemonFile } from './daemon-file.ts';
import { errorText } from './error-text.ts';
import type { HistoryStatus } from './git/history.ts';
import { incidentsOf } from './incidents.ts';
import type { Incident } from './incidents.ts';
import { checkSentinel } from './sync/sentinel.ts';
import { lastWithheld } from './withheld-list.ts';
import type { WithheldPath } from './withheld-list.ts';

/** Health at one look. */
export interface Status {
  readonly ok: boolean;
  readonly config: { readonly file: string; readonly because: ConfigLocation['because'] };
  readonly agent: string;
  readonly vault: string;
  /** Why the folder is not this vault, or not there. */
  readonly vaultProblem?: string;
  readonly vaultId: string;
  readonly daemon: DaemonFile | null;
  /** The last entry of the ledger that this machine holds. */
  readonly head: number;
  /** When the last sync ended; `null` before the first. */
  readonly lastSync: string | null;
  readonly cloud: {
    readonly reachable: boolean;
    readonly behind?: number;
    readonly more?: boolean;
    readonly error?: string;
  };
  readonly tasks: Partial<Record<TaskState, number>>;
  readonly waiting: number;
  /** Refused entries; those that nobody has acknowledged make the health bad. */
  readonly incidents: readonly Incident[];
  /** Files of which both versions are kept until a person chooses. */
  readonly conflicts: readonly ConflictView[];
  /** The vault's Git repository: history and backup. */
  readonly history: HistoryStatus;
  /** What stays on this machine, and is in no backup. */
  readonly withheld: readonly WithheldPath[];
}

const HISTORY_OFF: HistoryStatus = {
  state: 'off',
  why: 'git.enabled is false in the config',
  committedTo: 0,
  leftOut: [],
};

/** Gathers the health of this agent with one call of the cloud. Changes nothing. */
export async function agentStatus(
  agent: Agent,
  location: ConfigLocation,
  daemon: DaemonFile | undefined,
): Promise<Status> {
  const { config, session, copy } = agent;
  const { tasks, head, conflicts } = session.state;
  const counts: Partial<Record<TaskState, number>> = {};
  for (const { state } of tasks.values()) counts[state] = (counts[state] ?? 0) + 1;
  const incidents = incidentsOf(session.state);
  const cloud = await lagOf(agent);
  const vaultProblem = await problemOfVault(agent);
  const isKnown = incidents.every(({ acknowledged }) => acknowledged);
  return {
    ok: cloud.reachable && isKnown && daemon?.error === undefined && vaultProblem === undefined,
    config: { file: location.configFile, because: location.because },
    agent: config.agent,
    vault: config.vault,
    ...(vaultProblem === undefined ? {} : { vaultProblem }),
    vaultId: config.vaultId,
    daemon: daemon ?? null,
    head: head.n,
    lastSync: copy.fact('lastSync') ?? null,
    cloud,
    tasks: counts,
    waiting: (counts.pending_approval ?? 0) + (counts.failed ?? 0) + (counts.indeterminate ?? 0),
    incidents,
    conflicts: [...conflicts.values()],
    history: (await agent.history?.status()) ?? HISTORY_OFF,
    withheld: lastWithheld(copy),
  };
}

async function problemOfVault(agent: Agent): Promise<string | undefined> {
  try {
    await checkSentinel(agent);
    return undefined;
  } catch (error) {
    return errorText(error).message;
  }
}

/** How many entries stand in the cloud that this machine does not hold yet. */
async function lagOf({ ledger, config, session }: Agent): Promise<Status['cloud']> {
  try {
    const { entries, more } = await ledger.read(config.vaultId, session.state.head.n);
    return { reachable: true, behind: entries.length, ...(more ? { more } : {}) };
  } catch (error) {
    return { reachable: false, error: errorText(error).message };
  }
}
