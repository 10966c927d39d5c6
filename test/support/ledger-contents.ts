import { writerOf } from '#local-agent/writer.ts';
import { openAgent } from '#local-agent/open-agent.ts';
import { load } from '#local-agent/contents.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { ContentRef } from '#protocol/content.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { Ring } from '#protocol/seal.ts';
import type { OwnerMachine } from './owner-machines.ts';

/**
 * The hashes of all contents that any entry of the ledger ever named: read from the table anew with every check, and
 * each loaded, opened and hashed.
 */
export async function contentsInHistory(machine: OwnerMachine): Promise<Set<string>> {
  const agent = await openAgent(machine.configFile);
  try {
    const kept = new Set<string>();
    const named = new Map<string, readonly [ContentRef, Ring]>();
    const session = new LedgerSession(writerOf(agent), agent.config.root, agent, ({ entry, body }) => {
      for (const content of contentsIn(body)) named.set(content.sha256, [content, entry.ring]);
    });
    await session.pull();
    for (const [content, ring] of named.values()) kept.add(sha256Hex(await load(agent, content, ring)));
    return kept;
  } finally {
    await agent.close();
  }
}

/** Wherever in a body they stand: whoever adds a kind of entry need not know of this. */
function* contentsIn(value: unknown): Generator<ContentRef> {
  if (typeof value !== 'object' || value === null) return;
  const content = ContentRef.safeParse(value);
  if (content.success) yield content.data;
  else for (const member of Object.values(value)) yield* contentsIn(member);
}
