import { LedgerSession } from '#protocol/ledger-session.ts';
import type { Agent, AgentPorts } from './agent.ts';
import { keepEpoch, requireEpoch } from './key-epochs.ts';
import { RecentPuts } from './recent-puts.ts';
import { keepState, keptState } from './resume.ts';
import { requireReadable, writerOf } from './writer.ts';

/** Puts the ports together and replays the local copy of the ledger, from the last state kept on. */
export function makeAgent(ports: AgentPorts): Agent {
  const { config, copy } = ports;
  const puts = new RecentPuts(ports.clock);
  const start = keptState(copy, config.vaultId);
  const session = new LedgerSession(writerOf(ports), config.root, ports, requireReadable, {
    keep: (verified, unread) => {
      copy.together(() => {
        copy.keep(verified);
        copy.setUnread(unread);
      });
      for (const { body } of verified) if (body) puts.forget(body);
    },
    beforeAppend: (body) => puts.requireFresh(body),
    onKeyEpoch: ({ keyEpoch }, keys) => keepEpoch(ports, keyEpoch, keys),
    ...(start ? { start } : {}),
    unread: copy.unread(),
    keptTo: () => copy.last(),
  });
  let replayed = 0;
  // Behind a checkpoint that cannot be used any more, the first pull reads everything afresh.
  const replayable = start !== undefined || copy.begins() === 1;
  for (const entry of replayable ? copy.entries(session.state.head.n) : []) {
    requireReadable(session.replay(entry));
    replayed += 1;
  }
  requireEpoch(ports, session.state);
  copy.follow(session.state.resealed);
  keepState(copy, session.state, replayed);
  return { ...ports, blobs: puts.watch(ports.blobs), session };
}
