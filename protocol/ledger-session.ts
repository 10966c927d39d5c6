import { sha256Hex } from './canonical.ts';
import { LedgerBusyError, LedgerIntegrityError } from './errors.ts';
import {
  checkPlace,
  checkSignature,
  checkSignatureApart,
  entryFacts,
  entryHash,
  LedgerEntry,
  makeOwnEntry,
  openBody,
  requireKey,
} from './ledger-entry.ts';
import type { EntryDraft, EntryFacts, LedgerHead, Writer } from './ledger-entry.ts';
import type { KeysBody, LedgerBody } from './ledger-body.ts';
import { beginsEpoch, unwrapKeys } from './key-epoch.ts';
import { MAX_KNOWN } from './ports.ts';
import type { Clock, Ids, KnownEntry, LedgerStore } from './ports.ts';
import { applyEntry } from './replay.ts';
import { emptyVaultState } from './vault-state.ts';
import type { VaultState } from './vault-state.ts';
import type { VaultKeys } from './seal.ts';
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
  readonly onKeyEpoch?: (start: LedgerHead & { readonly keyEpoch: number }, keys?: VaultKeys) => void;
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
  readonly #onKeyEpoch: SessionOptions['onKeyEpoch'];
  readonly #keptTo: NonNullable<SessionOptions['keptTo']>;
  #turn: Promise<unknown> = Promise.resolve();
  /** The last entries up to the head, one after the other; not known right after a start from a kept state. */
  #recent: readonly KnownEntry[] = [];
  /** The head before the first entry that was appended since the ledger was read. */
  #unread: LedgerHead | undefined;
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
    this.#onKeyEpoch = options.onKeyEpoch;
    this.#unread = options.unread;
    this.#keptTo = options.keptTo ?? (() => 0);
    this.#markInForce();
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
    if (n < keptTo) throw gone(n + 1);
    this.#isDoubtful = false;
    return pulled;
  }

  async #readOn(): Promise<number> {
    const { vaultId } = this.#writer;
    const { n } = this.state.head;
    await this.#requireKeyEpochs();
    const seen = this.#unread ?? this.state.head;
    let readTo = Math.max(0, seen.n - 1);
    const known = this.#knownSince(seen.n);
    let page = await this.#ports.ledger.read(vaultId, readTo, known);
    const { leftOut = 0 } = page;
    // Not all of them stand in this page as they were seen: which ones do is looked at.
    if (leftOut > 0 && leftOut !== known.length) page = await this.#ports.ledger.read(vaultId, readTo);
    const stands = leftOut > 0 && leftOut === known.length;
    const hasSeen = seen.n > 0 && !stands;
    if (hasSeen) requireSame(seen, page.entries[0]);
    if (stands) {
      readTo = this.state.head.n;
      this.#isReadBack();
    }
    const notOwn = this.#readingBack();
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
    if (this.#unread) requireSame(this.state.head, undefined);
    await this.#admitAll(fresh);
    return this.state.head.n - n;
  }

  /**
   * Reads back what was appended here, page by page: each answers what follows it. Only when all of it stands there does
   * it count as read: another entry in its place may follow the one before as well.
   */
  #readingBack(): (page: readonly unknown[]) => unknown[] {
    const { head } = this.state;
    let back = this.#unread;
    return (page) => {
      let at = 0;
      for (; back && back.n < head.n && at < page.length; at++) {
        const { entry, facts } = this.#next(page[at], back);
        back = { n: entry.n, hash: facts.hash };
        if (back.n === head.n) {
          requireSame(head, entry);
          this.#isReadBack();
        }
      }
      return page.slice(at);
    };
  }

  #isReadBack(): void {
    if (!this.#unread) return;
    this.#unread = undefined;
    this.#keep([], undefined);
  }

  /** The entries from this one to the head, if all of them are at hand: a page needs not hold them again. */
  #knownSince(n: number): readonly KnownEntry[] {
    const known = this.#recent.filter((entry) => entry.n >= n);
    return known.length === this.state.head.n - n + 1 ? known : [];
  }

  #knows({ n, sig }: KnownEntry): void {
    this.#recent = [...this.#recent.slice(1 - MAX_KNOWN), { n, sig }];
  }

  /** Replays an entry of a local copy that was checked when it was admitted; the chain is checked again. */
  replay(stored: unknown): VerifiedEntry {
    const { entry, facts } = this.#next(stored, this.state.head);
    const replayed = this.#bodyOf(entry, facts);
    this.#beginEpoch(replayed);
    applyEntry(this.state, entry, replayed.body, facts.hash);
    this.#knows(entry);
    return replayed;
  }

  /** Checks one stored entry as the next of the chain and applies it. */
  admit(stored: unknown): VerifiedEntry {
    const { entry, facts } = this.#next(stored, this.state.head);
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
      const ahead: {
        entry: LedgerEntry;
        facts: EntryFacts;
        wrong: ReturnType<typeof checkSignatureApart>;
      }[] = [];
      let stop: (() => void) | undefined;
      let head = this.state.head;
      for (let i = done; i < stored.length && !stop; i++) {
        try {
          const { entry, facts } = this.#next(stored[i], head);
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

  /** Parses an entry and checks its place; the signature and the body are still to be checked. */
  #next(stored: unknown, head: LedgerHead): { readonly entry: LedgerEntry; readonly facts: EntryFacts } {
    const expected = head.n + 1;
    const parsed = LedgerEntry.safeParse(stored);
    if (!parsed.success) throw new LedgerIntegrityError(expected, 'does not have the form of an entry');
    const entry = parsed.data;
    if (entry.vaultId !== this.#writer.vaultId)
      throw new LedgerIntegrityError(expected, 'is of another vault');
    if (entry.n === 1 && entry.kind !== 'keys') throw new LedgerIntegrityError(1, 'is not the entry of keys');
    checkPlace(head, entry);
    return { entry, facts: entryFacts(entry) };
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

  /** New vault keys that the entry carries are taken along; then it is known that they are in force. */
  #beginEpoch({ entry, body, hash }: VerifiedEntry): void {
    if (body?.kind !== 'keys' || !beginsEpoch(this.state, entry.writer, body)) return;
    const { keyring } = this.#writer;
    const keys = keyring.find((known) => known.keyEpoch === body.keyEpoch) ?? this.#unwrapped(entry, body);
    const start = { n: entry.n, hash };
    if (keys?.from && keys.from.hash !== hash) throw otherEpoch(entry.n, body.keyEpoch);
    this.#onKeyEpoch?.({ ...start, keyEpoch: body.keyEpoch }, keys && { ...keys, from: start });
    const held = keyring.find((known) => known.keyEpoch === body.keyEpoch);
    if (held) held.from ??= start;
    else if (keys) keyring.push({ ...keys, from: start });
  }

  #unwrapped({ n }: LedgerEntry, body: KeysBody): VaultKeys | undefined {
    try {
      return unwrapKeys(body, this.#writer.keyring, this.#writer.vaultId);
    } catch (cause) {
      throw new LedgerIntegrityError(n, 'carries vault keys that do not open', { cause });
    }
  }

  #markInForce(): void {
    const { keys, epochStart } = this.state;
    const held = this.#writer.keyring.find(({ keyEpoch }) => keyEpoch === keys?.keyEpoch);
    if (!held || !epochStart || epochStart.n === 1) return;
    held.from ??= { n: epochStart.n, hash: epochStart.hash };
  }

  /** Keys that came into force with an entry know of a ledger that has it: one that ends before is an old one. */
  async #requireKeyEpochs(): Promise<void> {
    const { head, keys, epochStart } = this.state;
    const known = this.#writer.keyring.flatMap(({ from, keyEpoch }) => (from ? [{ ...from, keyEpoch }] : []));
    for (const { n, hash, keyEpoch } of known) {
      if (n > head.n || (keys && keys.keyEpoch > keyEpoch)) continue;
      if (keys?.keyEpoch !== keyEpoch || epochStart?.hash !== hash) throw otherEpoch(n, keyEpoch);
    }
    const next = known.reduce((last, epoch) => (epoch.n > last.n ? epoch : last), { ...head, keyEpoch: 0 });
    if (next.keyEpoch === 0) return;
    // Looked for before anything is taken from this ledger: the hash of that entry covers all before it.
    const { entries } = await this.#ports.ledger.read(this.#writer.vaultId, next.n - 1);
    const parsed = LedgerEntry.safeParse(entries[0]);
    if (parsed.success && parsed.data.n === next.n && entryHash(parsed.data) === next.hash) return;
    throw otherEpoch(next.n, next.keyEpoch);
  }

  #commit(verified: readonly VerifiedEntry[]): void {
    const last = verified.at(-1);
    if (!last) return;
    // Keys stand at the end of what is admitted at once. Whoever has the entry has to have them.
    this.#beginEpoch(last);
    this.#keep(verified, this.#unread);
    for (const { entry, body, hash } of verified) {
      applyEntry(this.state, entry, body, hash);
      this.#knows(entry);
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
        this.#unread ??= { ...this.state.head };
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

function otherEpoch(n: number, keyEpoch: number): LedgerIntegrityError {
  return new LedgerIntegrityError(
    n,
    `is not the one with which key epoch ${keyEpoch} came into force: this ledger is an old one, was cut short, restored or replaced. Restore it to a later moment; nothing was taken from it`,
  );
}

function requireSame(seen: LedgerHead, stored: unknown): void {
  const parsed = LedgerEntry.safeParse(stored);
  if (parsed.success && parsed.data.n === seen.n && entryHash(parsed.data) === seen.hash) return;
  if (stored === undefined) throw gone(seen.n);
  throw new LedgerIntegrityError(
    seen.n,
    'is not the one that was seen before: the ledger was rewritten, cut or restored',
  );
}

function gone(n: number): LedgerIntegrityError {
  return new LedgerIntegrityError(
    n,
    'is gone, and was seen before: the ledger was rewritten, cut or restored',
  );
}
