import { contentsOf } from '#protocol/ledger-contents.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import { newEntries } from './witness.ts';
import type { WitnessView } from './witness.ts';

/**
 * Invariant 10 in the blob store: what an entry names stands there when the entry comes, and is never removed, unless it
 * was stored again elsewhere under newer keys.
 */
export function auditGarbage(world: World, witness: WitnessView): Auditor {
  const { blobs } = world.cloud.blobs;
  /** By object, the blobs of it that entries name; and the entry that was the first to do so. */
  const named = new Map<string, { readonly n: number; readonly blobs: Set<string> }>();
  const fresh = newEntries(witness);
  const isNeeded = (object: string): boolean =>
    [...(named.get(object)?.blobs ?? [])].some((blob) => !witness.state.resealed.has(blob));

  function look(): void {
    for (const seen of fresh()) {
      for (const content of contentsOf(seen.body)) {
        if (!('blob' in content)) continue;
        const object = content.pack?.id ?? content.blob;
        const { n } = seen.entry;
        const known = named.get(object) ?? { n, blobs: new Set<string>() };
        known.blobs.add(content.blob);
        named.set(object, known);
        requireThat(
          blobs.has(object) || !isNeeded(object),
          '10',
          () => `entry ${n} names contents that are not in the store`,
        );
      }
    }
  }

  return {
    begin: ({ port, method, args, process }) => {
      if (port !== 'inventory' || method !== 'remove') return;
      look();
      for (const object of args[0] as readonly string[]) {
        requireThat(
          !isNeeded(object),
          '10',
          () => `${process.name} removes what entry ${named.get(object)?.n ?? 0} names`,
        );
      }
    },
    step: ({ port, method }) => {
      if (port === 'ledger' && method === 'append') look();
    },
  };
}
