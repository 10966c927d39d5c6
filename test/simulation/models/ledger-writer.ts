import { LedgerIntegrityError } from '#protocol/errors.ts';
import type { EntryDraft, LedgerEntry, LedgerHead, Writer } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { AppendOutcome, LedgerPorts } from '#protocol/ledger-session.ts';
import type { KnownEntry } from '#protocol/ports.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { createFixedClock } from '#test/support/memory/fixed-clock.ts';
import type { Ask, Machine } from './stepped-code.ts';
import { NoReplyError } from './stepped-code.ts';

/** What a writer asks the table. `allocate` is of mutations only: the product has no such call. */
export type LedgerRequest =
  | { readonly op: 'append'; readonly entry: LedgerEntry }
  | { readonly op: 'read'; readonly after: number; readonly known: readonly KnownEntry[] | undefined }
  | { readonly op: 'allocate' };

/** How an append ended, as its author sees it. */
export interface Belief {
  readonly wish: string;
  readonly attempt: string;
  readonly believes: 'it stands' | 'it stood before' | 'unknown';
  readonly n?: number;
}

/** What is known of a writer from outside. */
export interface WriterSeen {
  readonly head: LedgerHead;
  readonly beliefs: readonly Belief[];
  /** Since the machine died last. */
  readonly start: number;
  readonly broken?: string;
}

/** What an append may work with; the product's needs nothing but the session. */
export interface AppendTools extends LedgerPorts {
  readonly session: LedgerSession;
  readonly writer: Writer;
  readonly allocate: () => Promise<number>;
}

/** How a writer appends. */
export type AppendRule = (
  tools: AppendTools,
  build: (state: VaultState) => EntryDraft | undefined,
) => Promise<AppendOutcome>;

/** As the product does it. */
export const realAppend: AppendRule = ({ session }, build) => session.append(build);

/**
 * A machine that wants to say a few things in the ledger, each once, and says each until it knows that it stands: the
 * real `LedgerSession`, with a copy of the checked entries that outlives the process, as `makeAgent` puts it together.
 */
export function ledgerWriter(
  ask: Ask<LedgerRequest>,
  { writer, root, wishes, append }: WriterOptions,
): Machine<WriterSeen> {
  const kept: LedgerEntry[] = [];
  const beliefs: Belief[] = [];
  let ids = 0;
  let start = 0;
  let session: LedgerSession | undefined;
  let broken: string | undefined;
  const ports: LedgerPorts = {
    ledger: {
      append: async (entry) => (await ask({ op: 'append', entry })) as 'appended' | 'taken',
      read: async (_vaultId, after, known) =>
        (await ask({ op: 'read', after, known })) as { entries: readonly unknown[]; more: boolean },
    },
    clock: createFixedClock(),
    ids: { next: () => `${writer.writer}-${++ids}` },
  };

  async function say(own: LedgerSession, wish: string): Promise<Belief> {
    const before = ids;
    const tools = {
      ...{ ...ports, session: own, writer },
      allocate: async () => (await ask({ op: 'allocate' })) as number,
    };
    const outcome = await append(tools, ({ tasks }) =>
      tasks.has(wish)
        ? undefined
        : { taskId: wish, body: { kind: 'task', changes: [{ taskId: wish, epoch: 0, event: 'created' }] } },
    ).catch((error: unknown) => {
      if (error instanceof NoReplyError) return 'unknown' as const;
      throw error;
    });
    const attempt = ids > before ? `${writer.writer}-${ids}` : 'none';
    if (outcome === 'unknown') return { wish, attempt, believes: 'unknown' };
    if (!outcome.appended) return { wish, attempt, believes: 'it stood before' };
    return { wish, attempt, believes: 'it stands', n: outcome.entry.n };
  }

  return {
    seen: () => ({
      ...{ head: session?.state.head ?? { n: 0, hash: '' }, beliefs, start },
      ...(broken === undefined ? {} : { broken }),
    }),
    run: async (which) => {
      start = which;
      const own = new LedgerSession(writer, root, ports, undefined, {
        keep: (verified) => kept.push(...verified.map(({ entry }) => entry)),
      });
      session = own;
      for (const entry of kept) own.replay(entry);
      try {
        for (const wish of wishes) {
          while (!beliefs.some((known) => known.wish === wish && known.believes !== 'unknown')) {
            beliefs.push(await say(own, wish));
          }
        }
      } catch (error) {
        if (!(error instanceof LedgerIntegrityError)) throw error;
        broken = error.message;
      }
    },
  };
}

interface WriterOptions {
  readonly writer: Writer;
  readonly root: string;
  readonly wishes: readonly string[];
  readonly append: AppendRule;
}
