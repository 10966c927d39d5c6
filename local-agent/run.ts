import { folderOfState, openResidentAgent } from './open-agent.ts';
import { createClaimObserver } from './claims/observe-claims.ts';
import { removeDaemonFile, writeDaemonFile } from './daemon-file.ts';
import { startDesk } from './desk/server.ts';
import { errorText } from './error-text.ts';
import { acquireDaemonLock } from './lock.ts';
import { runPass } from './pass.ts';
import type { Snapshot } from './pass.ts';
import { rememberLedgerCopy } from './state-file.ts';
import { checkSentinel } from './sync/sentinel.ts';
import { createWake, watchVault } from './watch-vault.ts';

const MAX_BACKOFF_MS = 60_000;
const MIN_BACKOFF_MS = 1_000;

/** How the daemon is started. */
export interface DaemonOptions {
  readonly configFile: string;
  readonly vault: string | undefined;
  /** @default the config's */
  readonly deskPort: number | undefined;
  /** Ends the daemon after the pass it is in. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Called once: the desk answers and the first pass was made. */
  readonly ready: (desk: string) => void;
}

/**
 * The daemon: a pass (sync, execute) every `pollMs` and right after a change in the vault, and the desk.
 * The lock is held during a pass only, so that commands work beside it. A pass that fails is logged once
 * per reason, tried again later and later, and never ends the daemon.
 *
 * @throws what is wrong from the beginning: config, keys, a folder that is no vault, the desk's port,
 * another daemon.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { configFile, signal, log } = options;
  const folder = folderOfState(configFile);
  const lock = acquireDaemonLock(folder);
  const agent = await openResidentAgent(configFile, { vault: options.vault, log }).catch((error: unknown) => {
    lock.release();
    throw error;
  });
  const checkLedgerCopy = rememberLedgerCopy(folder);
  const wake = createWake();
  const observer = createClaimObserver();
  let snapshot: Snapshot | undefined;
  let problem: string | undefined;
  let failures = 0;
  let told = new Set<string>();
  try {
    await checkSentinel(agent);
    const desk = await startDesk({
      port: options.deskPort ?? agent.config.deskPort,
      state: () => ({ snapshot, problem }),
    });
    const watcher = watchVault(agent.config.vault, () => wake.now(), log);
    const startedAt = agent.clock.now();
    const end = (): void => wake.now();
    signal.addEventListener('abort', end);
    try {
      for (let first = true; !signal.aborted; first = false) {
        const before = problem;
        try {
          checkLedgerCopy();
          const report = await runPass(agent, configFile, snapshot, observer);
          snapshot = report.snapshot;
          problem = undefined;
          failures = 0;
          if (before !== undefined) log('working again');
          // What is still so is not news.
          for (const line of report.lines) if (!told.has(line)) log(line);
          told = new Set(report.lines.filter((line) => !line.startsWith('sync:')));
        } catch (error) {
          failures += 1;
          problem = errorText(error).message;
          if (problem !== before) log(`a pass failed: ${problem}`);
        }
        if (first || problem !== before) {
          await writeDaemonFile(folder, {
            pid: process.pid,
            desk: desk.url,
            startedAt,
            lastPassAt: agent.clock.now(),
            ...(problem === undefined ? {} : { error: problem }),
          }).catch((error: unknown) =>
            log(`the daemon's own file was not written: ${errorText(error).message}`),
          );
        }
        if (first) options.ready(desk.url);
        // Takes as long as it takes, beside the passes and without the lock.
        void agent.history?.background(signal);
        watcher.refresh();
        await wake.sleep(failures === 0 ? agent.config.pollMs : backoffMs(agent.config.pollMs, failures));
      }
    } finally {
      signal.removeEventListener('abort', end);
      watcher.close();
      await desk.close();
      await removeDaemonFile(folder);
      await agent.history?.background(signal);
    }
  } finally {
    await agent.close();
    lock.release();
  }
}

function backoffMs(pollMs: number, failures: number): number {
  const first = Math.max(pollMs, MIN_BACKOFF_MS);
  return Math.max(pollMs, Math.min(MAX_BACKOFF_MS, first * 2 ** Math.min(failures - 1, 10)));
}
