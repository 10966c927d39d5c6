import type { LedgerHead } from './ledger-entry.ts';
import { nextEntry, requireSame } from './next-entry.ts';
import { MAX_KNOWN } from './ports.ts';
import type { KnownEntry } from './ports.ts';

/**
 * What a session has seen of its ledger last, and where it has appended without having read since: in a table that was cut
 * a moment before, such entries stand behind a hole. They count as seen when all of them were read back.
 */
export class SeenEntries {
  readonly #onReadBack: () => void;
  /** The last entries up to the head, one after the other; not known right after a start from a kept state. */
  #recent: readonly KnownEntry[] = [];
  #unread: LedgerHead | undefined;

  /** @param onReadBack told when all that was appended was read back. */
  constructor(unread: LedgerHead | undefined, onReadBack: () => void) {
    this.#unread = unread;
    this.#onReadBack = onReadBack;
  }

  /** The head before the first entry that was appended since the ledger was read; `undefined` when there is none. */
  get unread(): LedgerHead | undefined {
    return this.#unread;
  }

  /** Takes note of the entry that is the head now. */
  add({ n, sig }: KnownEntry): void {
    this.#recent = [...this.#recent.slice(1 - MAX_KNOWN), { n, sig }];
  }

  /** Takes note that something was appended behind this head. */
  appendedTo(head: LedgerHead): void {
    this.#unread ??= { ...head };
  }

  /** The entries from this one to the head, if all of them are at hand: a page needs not hold them again. */
  since(n: number, head: LedgerHead): readonly KnownEntry[] {
    const known = this.#recent.filter((entry) => entry.n >= n);
    return known.length === head.n - n + 1 ? known : [];
  }

  /**
   * Reads back what was appended, page by page: each answers what follows it. Only when all of it stands there does it
   * count as read: another entry in its place may follow the one before as well.
   */
  readingBack(head: LedgerHead, vaultId: string): (page: readonly unknown[]) => unknown[] {
    const end = { ...head };
    let back = this.#unread;
    return (page) => {
      let at = 0;
      for (; back && back.n < end.n && at < page.length; at++) {
        const { entry, facts } = nextEntry(page[at], back, vaultId);
        back = { n: entry.n, hash: facts.hash };
        if (back.n === end.n) {
          requireSame(end, entry);
          this.markReadBack();
        }
      }
      return page.slice(at);
    };
  }

  /** All that was appended stands in the ledger. */
  markReadBack(): void {
    if (!this.#unread) return;
    this.#unread = undefined;
    this.#onReadBack();
  }
}
