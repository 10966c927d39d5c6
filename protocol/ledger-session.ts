import { sha256Hex } from './canonical.ts';
import { LedgerBusyError, LedgerIntegrityError } from './errors.ts';
import { HeldEpochs } from './held-epochs.ts';
import type { OnKeyEpoch } from './held-epochs.ts';
import { checkSignature, checkSignatureApart, makeOwnEntry, openBody, requireKey } from './ledger-entry.ts';
import type { EntryDraft, EntryFacts, LedgerEntry, LedgerHead, Writer } from './ledger-entry.ts';
import type { LedgerBody } from './ledger-body.ts';
import { entryGone, nextEntry, requireSame } from './next-entry.ts';
import type { PlacedEntry } from './next-entry.ts';
import type { Clock, Ids, LedgerStore } from './ports.ts';
import { applyEntry } from './replay.ts';
import { SeenEntries } from './seen-entries.ts';
import { emptyVaultState } from './vault-state.ts';
import type { VaultState } from './vault-state.ts';
import type { PublicKey } from './signing.ts';
import { signingKeysOf } from './writer-keys.ts';

const MAX_TRIES = 100;
const MAX_FAILURES = 3;
const MIN_PAUSE_MS = 8;
const MAX_PAUSE_MS = 500;

/** What a session works with. */
export interface LedgerPorts {
  readonly ledger: LedgerStore;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** A checked entry with its opened body. */
export interface VerifiedEntry {
  readonly entry: LedgerEntry;
  /** `undefined` for what this zone cannot read, and for what replay refuses unread. */
  readonly body: LedgerBody | undefined;
  /** The `prev` of the next entry. */
  readonly hash: string;
  /** Whether it was sealed with the keys in force at its place; if not, every reader refuses it. */
  readonly inForce: boolean;
}

/** The outcome of an append: the entry that stands in the ledger, or why none was wanted any more. */
export type AppendOutcome =
  { readonly appended: true; readonly entry: LedgerEntry } | { readonly appended: false };

/** What a session does beside replaying. */
export interface SessionOptions {
  /**
   * Keeps checked entries, all or none, before they take effect here; and the entry behind which this session has
   * appended without having read the ledger since, if there is one.
   */
  readonly keep?: (verified: readonly VerifiedEntry[], unread: LedgerHead | undefined) => void;
  /** Told what is about to be appended, at each try; what it throws ends the append. */
  readonly beforeAppend?: (body: LedgerBody) => void;
  /**
   * Told of the entry with which a key epoch comes into force, before that takes effect, with the vault keys of
   * it if they are at hand. What it throws refuses the entry for now.
   */
  readonly onKeyEpoch?: OnKeyEpoch;
  /** What was replayed and checked before; the session goes on from its head. @default nothing */
  readonly start?: VaultState;
  /** What `keep` was told last. @default nothing was appended since the ledger was read */
  readonly unread?: LedgerHead | undefined;
  /** The number of the last entry that was kept so far, also by others who keep entries there. @default its own alone */
  readonly keptTo?: () => number;
}

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
  readonly #keep: NonNullable<SessionOptions['keep']>;
  readonly #beforeAppend: SessionOptions['beforeAppend'];
  readonly #epochs: HeldEpochs;
  readonly #seen: SeenEntries;
  readonly #keptTo: NonNullable<SessionOptions['keptTo']>;
  #turn: Promise<unknown> = Promise.resolve();
  /** The last read failed: nothing is appended to what may not be the ledger that was seen. */
  #isDoubtful = false;
  /** The append under way, and the entry it turned out to have made. */
  #own: { readonly attempt: string; entry?: LedgerEntry } | undefined;

  /**
   * @param root the key that the first entry must be signed with: the owner's machine that made the vault.
   * @param onVerified told of each new entry after it was checked and before it takes effect here; what it
   * throws refuses the entry and all after it.
   */
  constructor(
    writer: Writer,
    root: PublicKey,
    ports: LedgerPorts,
    onVerified: (verified: VerifiedEntry) => void = () => undefined,
    options: SessionOptions = {},
  ) {
    this.state = options.start ?? emptyVaultState(writer.vaultId);
    this.#writer = writer;
    this.#root = root;
    this.#ports = ports;
    this.#onVerified = onVerified;
    this.#keep = options.keep ?? (() => undefined);
    this.#beforeAppend = options.beforeAppend;
    this.#epochs = new HeldEpochs(writer, options.onKeyEpoch);
    this.#seen = new SeenEntries(options.unread, () => this.#keep([], undefined));
    this.#keptTo = options.keptTo ?? (() => 0);
    this.#epochs.markInForce(this.state);
  }

  /**
   * Reads, checks and applies what came since; answers how many entries were new. The last entry seen has to
   * stand there still, with its signature, so that a table that was rewritten, cut short or restored is noticed;
   * and so has the entry from which on the keyring has keys in force, for a reader that has seen nothing yet. Own
   * entries count as seen when they were read back: in a table that was cut a moment before, they stand behind a hole. What
   * other processes of the same machine have kept is seen, too.
   *
   * @throws {LedgerIntegrityError} at the first entry that is not what it should be; the state stays
   * at the entry before it.
   */
  pull(): Promise<number> {
    return this.#inTurn(() => this.#pull());
  }

  async #pull(): Promise<number> {
    this.#isDoubtful = true;
    // Before it is read: what is kept by now has to stand there.
    const keptTo = this.#keptTo();
    const pulled = await this.#readOn();
    const { n } = this.state.head;
    if (n < keptTo) throw entryGone(n + 1);
    this.#isDoubtful = false;
    return pulled;
  }

  async #readOn(): Promise<number> {
    const { vaultId } = this.#writer;
    const { n } = this.state.head;
    await this.#epochs.require(this.state, this.#ports.ledger);
    const seen = this.#seen.unread ?? this.state.head;
    let readTo = Math.max(0, seen.n - 1);
    const known = this.#seen.since(seen.n, this.state.head);
    let page = await this.#ports.ledger.read(vaultId, readTo, known);
    const { leftOut = 0 } = page;
    // Not all of them stand in this page as they were seen: which ones do is looked at.
    if (leftOut > 0 && leftOut !== known.length) page = await this.#ports.ledger.read(vaultId, readTo);
    const stands = leftOut > 0 && leftOut === known.length;
    const hasSeen = seen.n > 0 && !stands;
    if (hasSeen) requireSame(seen, page.entries[0]);
    if (stands) {
      readTo = this.state.head.n;
      this.#seen.markReadBack();
    }
    const notOwn = this.#seen.readingBack(this.state.head, vaultId);
    let fresh = notOwn(page.entries.slice(hasSeen ? 1 : 0));
    for (let isFirst = stands; page.more && (isFirst || page.entries.length > 0); isFirst = false) {
      readTo += page.entries.length;
      // On its way while this page is checked; a page that does not follow is refused when it is checked.
      const next = this.#ports.ledger.read(vaultId, readTo);
      next.catch(() => undefined);
      await this.#admitAll(fresh);
      page = await next;
      fresh = notOwn(page.entries);
    }
    if (this.#seen.unread) throw entryGone(this.state.head.n);
    await this.#admitAll(fresh);
    return this.state.head.n - n;
  }

  /** Replays an entry of a local copy that was checked when it was admitted; the chain is checked again. */
  replay(stored: unknown): VerifiedEntry {
    const { entry, facts } = nextEntry(stored, this.state.head, this.#writer.vaultId);
    const replayed = this.#bodyOf(entry, facts);
    this.#epochs.begin(this.state, replayed);
    applyEntry(this.state, entry, replayed.body, facts.hash);
    this.#seen.add(entry);
    return replayed;
  }

  /** Checks one stored entry as the next of the chain and applies it. */
  admit(stored: unknown): VerifiedEntry {
    const { entry, facts } = nextEntry(stored, this.state.head, this.#writer.vaultId);
    checkSignature(entry, this.#keysOf(entry));
    const verified = this.#opened(entry, facts);
    this.#commit([verified]);
    return verified;
  }

  /**
   * Checks stored entries as the next ones of the chain and applies them, signatures on all cores.
   *
   * @throws {LedgerIntegrityError} at the first bad one; those before it have taken effect.
   */
  admitAll(stored: readonly unknown[]): Promise<void> {
    return this.#inTurn(() => this.#admitAll(stored));
  }

  async #admitAll(stored: readonly unknown[]): Promise<void> {
    for (let done = 0; done < stored.length;) {
      const ahead: (PlacedEntry & { readonly wrong: ReturnType<typeof checkSignatureApart> })[] = [];
      let stop: (() => void) | undefined;
      let head = this.state.head;
      for (let i = done; i < stored.length && !stop; i++) {
        try {
          const { entry, facts } = nextEntry(stored[i], head, this.#writer.vaultId);
          const keys = this.#keysOf(entry);
          requireKey(entry, keys);
          ahead.push({ entry, facts, wrong: checkSignatureApart(entry, facts.signed, keys) });
          head = { n: entry.n, hash: facts.hash };
          // Who may sign what follows is known only when it has taken effect.
          if (entry.kind === 'keys') break;
        } catch (error) {
          stop = () => {
            throw error;
          };
        }
      }
      const good: VerifiedEntry[] = [];
      try {
        for (const { entry, facts, wrong } of ahead) {
          const error = await wrong;
          if (error) throw error;
          good.push(this.#opened(entry, facts));
        }
        stop?.();
      } finally {
        this.#commit(good);
      }
      done += good.length;
    }
  }

  #opened(entry: LedgerEntry, facts: EntryFacts): VerifiedEntry {
    const verified = this.#bodyOf(entry, facts);
    this.#onVerified(verified);
    return verified;
  }

  #bodyOf(entry: LedgerEntry, { hash }: EntryFacts): VerifiedEntry {
    const { keyEpoch } = this.state.keys ?? entry;
    const inForce = keyEpoch === entry.keyEpoch;
    return { entry, body: inForce ? openBody(entry, this.#writer.keyring) : undefined, hash, inForce };
  }

  #commit(verified: readonly VerifiedEntry[]): void {
    const last = verified.at(-1);
    if (!last) return;
    // Keys stand at the end of what is admitted at once. Whoever has the entry has to have them.
    this.#epochs.begin(this.state, last);
    this.#keep(verified, this.#seen.unread);
    for (const { entry, body, hash } of verified) {
      applyEntry(this.state, entry, body, hash);
      this.#seen.add(entry);
      const own = this.#own;
      if (own?.attempt === entry.attempt && entry.writer === this.#writer.writer) own.entry = entry;
    }
  }

  /**
   * Appends what `build` makes of the state it is given. `build` is asked again whenever others were
   * first, and answers `undefined` when there is nothing left to say. A lost reply is resolved by
   * reading back: an entry with our own attempt means success. Whoever was overtaken more than once waits
   * for a random time, longer and longer, so that many writers get through.
   *
   * @throws the store's error when it stays unreachable; the entry may or may not stand then, and a
   * later `pull` tells. {LedgerBusyError} when others were always first. {LedgerIntegrityError} as `pull`,
   * and when the ledger has no first entry yet.
   */
  append(build: (state: VaultState) => EntryDraft | undefined): Promise<AppendOutcome> {
    return this.#inTurn(async () => {
      try {
        return await this.#append(build, this.#ports.ids.next());
      } finally {
        this.#own = undefined;
      }
    });
  }

  async #append(
    build: (state: VaultState) => EntryDraft | undefined,
    attempt: string,
  ): Promise<AppendOutcome> {
    const own: { readonly attempt: string; entry?: LedgerEntry } = { attempt };
    this.#own = own;
    let failures = 0;
    if (this.state.head.n === 0 || this.#isDoubtful) await this.#pull();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const draft = build(this.state);
      if (!draft) return { appended: false };
      // Once it stood there, no reader would accept this ledger again.
      if (this.state.head.n === 0 && draft.body.kind !== 'keys') {
        throw new LedgerIntegrityError(1, 'is missing: the vault was not set up yet; run employee init');
      }
      this.#beforeAppend?.(draft.body);
      const stamp = { at: this.#ports.clock.now(), attempt, keyEpoch: this.state.keys?.keyEpoch };
      const made = makeOwnEntry(this.state.head, draft, this.#writer, stamp);
      const outcome = await this.#put(made.entry);
      if (outcome === 'appended') {
        // Sealed and signed a moment ago: nothing of it needs to be checked.
        const verified = { ...made, inForce: true };
        this.#onVerified(verified);
        this.#seen.appendedTo(this.state.head);
        this.#commit([verified]);
      } else await this.#pull();
      if (own.entry) return { appended: true, entry: own.entry };
      if (typeof outcome === 'object' && ++failures >= MAX_FAILURES) throw outcome.error;
      if (tries > 0) await this.#ports.clock.sleep?.(pauseMs(attempt, tries));
    }
    throw new LedgerBusyError(
      `the ledger was busy: ${MAX_TRIES} tries to append were overtaken; try again later`,
    );
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

  #keysOf({ n, writer }: LedgerEntry): readonly PublicKey[] {
    return n === 1 ? [this.#root] : signingKeysOf(this.state.keys, writer);
  }
}

/** Full jitter: anything up to a limit that doubles. The attempt's name is random, which is all it takes. */
function pauseMs(attempt: string, tries: number): number {
  const random = Number.parseInt(sha256Hex(`${attempt}/${tries}`).slice(0, 8), 16) / 2 ** 32;
  return random * Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** Math.min(tries, 10));
}
