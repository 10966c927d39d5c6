import { sha256Hex } from '#protocol/canonical.ts';
import { loadContent } from '#protocol/content-store.ts';
import { entryHash } from '#protocol/ledger-entry.ts';
import { contentsOf, relocated } from '#protocol/ledger-contents.ts';
import { withCallout } from '#protocol/note-explanation.ts';
import { VAULT_ID } from '../world/keys.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import type { WitnessedEntry, WitnessView } from './witness.ts';

/**
 * Invariant 10, in the end: every version of bytes that a person wrote, and did not throw away before any sync could
 * see it, stands in a vault or in the ledger; beside what a note explains, which is no person's.
 */
export function auditVersions(world: World, witness: WitnessView): Auditor {
  /** What a person wrote, by its hash; the book knows hashes alone. */
  const { book, machines } = world;
  return {
    atEnd: async () => {
      if (witness.broken !== undefined && world.putBacks.length === 0) return;
      const kept = new Set<string>();
      const keyring = machines.get('laptop')?.keys.vaultKeys ?? [];
      const keep = (text: string): void => {
        kept.add(sha256Hex(text));
        kept.add(sha256Hex(bare(text)));
      };
      for (const machine of machines.values()) for (const text of machine.tree().values()) keep(text);
      for (const { entry, body } of readable(world, witness)) {
        for (const content of contentsOf(body)) {
          kept.add(content.sha256);
          const bytes = await loadContent(
            relocated(content, witness.state.resealed),
            entry.ring,
            keyring,
            VAULT_ID,
            world.cloud.blobs,
          ).catch(() => undefined);
          if (bytes) keep(bytes.toString());
        }
      }
      for (const sha256 of book.owed()) {
        const text = world.written.get(sha256) ?? '';
        requireThat(
          kept.has(sha256) || kept.has(sha256Hex(bare(text))),
          '10',
          () => `a version that a person wrote is nowhere: ${JSON.stringify(text.slice(0, 300))}`,
        );
      }
    },
  };
}

/**
 * What the table has, and each machine's own copy. Where copies came back from a backup as well, what was between that
 * and the cut is gone: a backup goes back to its own moment.
 */
function readable(world: World, witness: WitnessView): readonly WitnessedEntry[] {
  if (world.putBacks.length === 0) return witness.entries();
  const stands = new Set(witness.entries().map(({ entry }) => entry.sig));
  const copies = [...world.machines.values()].map(({ disk }) => disk.copy);
  const isGone = [...world.machines.keys()].some((name) => world.restored.has(name));
  return witness
    .ever()
    .filter(
      ({ entry }) =>
        isGone || stands.has(entry.sig) || copies.some((copy) => copy.hashOf(entry.n) === entryHash(entry)),
    );
}

/** What a note says without what it explains, and without the blank lines that come and go with that. */
function bare(text: string): string {
  return withCallout(text, '')
    .replace(/^[\r\n]+/, '')
    .replace(/\n\n+/g, '\n\n');
}
