import { LedgerIntegrityError } from './errors.ts';
import { beginsEpoch, unwrapKeys } from './key-epoch.ts';
import type { KeysBody, LedgerBody } from './ledger-body.ts';
import type { LedgerEntry, LedgerHead, Writer } from './ledger-entry.ts';
import { isEntry } from './next-entry.ts';
import type { LedgerStore } from './ports.ts';
import type { VaultKeys } from './seal.ts';
import type { VaultState } from './vault-state.ts';

/** Told of the entry with which a key epoch comes into force; what it throws refuses the entry for now. */
export type OnKeyEpoch = (start: LedgerHead & { readonly keyEpoch: number }, keys?: VaultKeys) => void;

/** The key epochs of a writer's keyring, and the entries of the ledger with which they came into force. */
export class HeldEpochs {
  readonly #writer: Writer;
  readonly #onKeyEpoch: OnKeyEpoch | undefined;

  constructor(writer: Writer, onKeyEpoch: OnKeyEpoch | undefined) {
    this.#writer = writer;
    this.#onKeyEpoch = onKeyEpoch;
  }

  /**
   * New vault keys that the entry carries are taken along; then it is known that they are in force.
   *
   * @throws {LedgerIntegrityError} when they do not open, or came into force with another entry.
   */
  begin(
    state: VaultState,
    {
      entry,
      body,
      hash,
    }: { readonly entry: LedgerEntry; readonly body: LedgerBody | undefined; readonly hash: string },
  ): void {
    if (body?.kind !== 'keys' || !beginsEpoch(state, entry.writer, body)) return;
    const held = this.#held(body.keyEpoch);
    const keys = held ?? this.#unwrapped(entry, body);
    const start = { n: entry.n, hash };
    if (keys?.from && keys.from.hash !== hash) throw otherEpoch(entry.n, body.keyEpoch);
    this.#onKeyEpoch?.({ ...start, keyEpoch: body.keyEpoch }, keys && { ...keys, from: start });
    // Whoever was told may have put them into the keyring.
    const known = this.#held(body.keyEpoch);
    if (known) known.from ??= start;
    else if (keys) this.#writer.keyring.push({ ...keys, from: start });
  }

  /** Takes from a kept state with which entry the keys in force came. */
  markInForce({ keys, epochStart }: VaultState): void {
    const held = keys && this.#held(keys.keyEpoch);
    if (!held || !epochStart || epochStart.n === 1) return;
    held.from ??= { n: epochStart.n, hash: epochStart.hash };
  }

  /**
   * Keys that came into force with an entry know of a ledger that has it: one that ends before is an old one.
   *
   * @throws {LedgerIntegrityError} when this ledger lacks that entry.
   */
  async require({ head, keys, epochStart }: VaultState, ledger: Pick<LedgerStore, 'read'>): Promise<void> {
    const { keyring, vaultId } = this.#writer;
    const known = keyring.flatMap(({ from, keyEpoch }) => (from ? [{ ...from, keyEpoch }] : []));
    for (const { n, hash, keyEpoch } of known) {
      if (n > head.n || (keys && keys.keyEpoch > keyEpoch)) continue;
      if (keys?.keyEpoch !== keyEpoch || epochStart?.hash !== hash) throw otherEpoch(n, keyEpoch);
    }
    const next = known.reduce((last, epoch) => (epoch.n > last.n ? epoch : last), { ...head, keyEpoch: 0 });
    if (next.keyEpoch === 0) return;
    // Looked for before anything is taken from this ledger: the hash of that entry covers all before it.
    const { entries } = await ledger.read(vaultId, next.n - 1);
    if (!isEntry(next, entries[0])) throw otherEpoch(next.n, next.keyEpoch);
  }

  #held(keyEpoch: number): VaultKeys | undefined {
    return this.#writer.keyring.find((keys) => keys.keyEpoch === keyEpoch);
  }

  #unwrapped({ n }: LedgerEntry, body: KeysBody): VaultKeys | undefined {
    try {
      return unwrapKeys(body, this.#writer.keyring, this.#writer.vaultId);
    } catch (cause) {
      throw new LedgerIntegrityError(n, 'carries vault keys that do not open', { cause });
    }
  }
}

function otherEpoch(n: number, keyEpoch: number): LedgerIntegrityError {
  return new LedgerIntegrityError(
    n,
    `is not the one with which key epoch ${keyEpoch} came into force: this ledger is an old one, was cut short, restored or replaced. Restore it to a later moment; nothing was taken from it`,
  );
}
