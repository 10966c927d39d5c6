import { LedgerIntegrityError } from './errors.ts';
import { checkPlace, checkSignature, entryHash, LedgerEntry, makeEntry, openBody } from './ledger-entry.ts';
import type { EntryDraft, LedgerHead, Writer } from './ledger-entry.ts';
import type { LedgerBody } from './ledger-body.ts';
import type { Clock, Ids, LedgerStore } from './ports.ts';
import { applyEntry } from './replay.ts';
import { emptyVaultState } from './vault-state.ts';
import type { VaultState } from './vault-state.ts';
import type { PublicKey } from './signing.ts';

const MAX_TRIES = 50;
const MAX_FAILURES = 3;

/** What a session works with. */
export interface LedgerPorts {
  readonly ledger: LedgerStore;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** A checked entry with its opened body. */
export interface VerifiedEntry {
  readonly entry: LedgerEntry;
  readonly body: LedgerBody | undefined;
}

/** The outcome of an append: the entry that stands in the ledger, or why none was wanted any more. */
export type AppendOutcome =
  { readonly appended: true; readonly entry: LedgerEntry } | { readonly appended: false };

/**
 * One reader and writer of one ledger. Holds the verified state, extends it by `pull`, and appends by
 * "put at n+1 if free, else read what came and try again". Calls made at the same time wait their turn.
 */
export class LedgerSession {
  readonly state: VaultState;
  readonly #ports: LedgerPorts;
  readonly #writer: Writer;
  readonly #root: PublicKey;
  readonly #onVerified: (verified: VerifiedEntry) => void;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param root the key that the first entry must be signed with: the owner's machine that made the vault.
   * @param onVerified told of each new entry after it was checked and before it takes effect here.
   */
  constructor(
    writer: Writer,
    root: PublicKey,
    ports: LedgerPorts,
    onVerified: (verified: VerifiedEntry) => void = () => undefined,
  ) {
    this.state = emptyVaultState(writer.vaultId);
    this.#writer = writer;
    this.#root = root;
    this.#ports = ports;
    this.#onVerified = onVerified;
  }

  /**
   * Reads, checks and applies what came since; answers the new entries. The last entry seen is read
   * again and has to be the same, so that a table that was rewritten, cut short or restored is noticed.
   *
   * @throws {LedgerIntegrityError} at the first entry that is not what it should be; the state stays
   * at the entry before it.
   */
  pull(): Promise<VerifiedEntry[]> {
    return this.#inTurn(() => this.#pull());
  }

  async #pull(): Promise<VerifiedEntry[]> {
    const fresh: VerifiedEntry[] = [];
    const seen = this.state.head;
    let page = await this.#ports.ledger.read(this.#writer.vaultId, Math.max(0, seen.n - 1));
    if (seen.n > 0) requireSame(seen, page.entries[0]);
    for (const stored of page.entries.slice(seen.n > 0 ? 1 : 0)) fresh.push(this.admit(stored));
    while (page.more) {
      page = await this.#ports.ledger.read(this.#writer.vaultId, this.state.head.n);
      for (const stored of page.entries) fresh.push(this.admit(stored));
    }
    return fresh;
  }

  /** Replays an entry of a local copy that was checked when it was admitted; the chain is checked again. */
  replay(stored: unknown): void {
    this.#next(stored, 'known');
  }

  /** Checks one stored entry as the next of the chain and applies it. */
  admit(stored: unknown): VerifiedEntry {
    return this.#next(stored, 'new');
  }

  #next(stored: unknown, origin: 'known' | 'new'): VerifiedEntry {
    const expected = this.state.head.n + 1;
    const parsed = LedgerEntry.safeParse(stored);
    if (!parsed.success) throw new LedgerIntegrityError(expected, 'does not have the form of an entry');
    const entry = parsed.data;
    if (entry.vaultId !== this.#writer.vaultId)
      throw new LedgerIntegrityError(expected, 'is of another vault');
    if (entry.n === 1 && entry.kind !== 'keys') throw new LedgerIntegrityError(1, 'is not the entry of keys');
    checkPlace(this.state.head, entry);
    if (origin === 'new') checkSignature(entry, entry.n === 1 ? this.#root : this.#keyOf(entry.writer));
    const verified = { entry, body: openBody(entry, this.#writer.keyring) };
    if (origin === 'new') this.#onVerified(verified);
    applyEntry(this.state, entry, verified.body);
    return verified;
  }

  /**
   * Appends what `build` makes of the state it is given. `build` is asked again whenever others were
   * first, and answers `undefined` when there is nothing left to say. A lost reply is resolved by
   * reading back: an entry with our own attempt means success.
   *
   * @throws the store's error when it stays unreachable; the entry may or may not stand then, and a
   * later `pull` tells. {LedgerIntegrityError} as `pull`, and when the ledger has no first entry yet.
   */
  append(build: (state: VaultState) => EntryDraft | undefined): Promise<AppendOutcome> {
    return this.#inTurn(() => this.#append(build));
  }

  async #append(build: (state: VaultState) => EntryDraft | undefined): Promise<AppendOutcome> {
    const attempt = this.#ports.ids.next();
    let failures = 0;
    if (this.state.head.n === 0) await this.#pull();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const draft = build(this.state);
      if (!draft) return { appended: false };
      // Once it stood there, no reader would accept this ledger again.
      if (this.state.head.n === 0 && draft.body.kind !== 'keys') {
        throw new LedgerIntegrityError(1, 'is missing: the vault was not set up yet; run employee init');
      }
      const stamp = { at: this.#ports.clock.now(), attempt };
      const entry = makeEntry(this.state.head, draft, this.#writer, stamp);
      const outcome = await this.#put(entry);
      if (outcome === 'appended') {
        this.admit(entry);
        return { appended: true, entry };
      }
      const own = (await this.#pull()).find(
        ({ entry: { writer, attempt: by } }) => by === attempt && writer === this.#writer.writer,
      );
      if (own) return { appended: true, entry: own.entry };
      if (outcome !== 'taken' && ++failures >= MAX_FAILURES) throw outcome.error;
    }
    throw new Error(`the ledger was busy: ${MAX_TRIES} tries to append were overtaken; try again later`);
  }

  /** One at a time: two that read at once would both admit the same entry. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    // Not the result itself: the entries of a long pull would stay in memory until the next one.
    this.#turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #put(entry: LedgerEntry): Promise<'appended' | 'taken' | { readonly error: unknown }> {
    try {
      return await this.#ports.ledger.append(entry);
    } catch (error) {
      return { error };
    }
  }

  #keyOf(writer: string): PublicKey | undefined {
    return this.state.keys?.writers.find((known) => known.writer === writer)?.publicKey;
  }
}

function requireSame(seen: LedgerHead, stored: unknown): void {
  const parsed = LedgerEntry.safeParse(stored);
  if (parsed.success && parsed.data.n === seen.n && entryHash(parsed.data) === seen.hash) return;
  const what = stored === undefined ? 'is gone, and was seen before' : 'is not the one that was seen before';
  throw new LedgerIntegrityError(seen.n, `${what}: the ledger was rewritten, cut or restored`);
}
