import type { KeyObject } from 'node:crypto';

const MAX_KNOWN = 20_000;

/**
 * Answers of signature checks by everything they depend on. In a world a dozen readers check the same entries, and the
 * checks would take most of its time.
 */
export class KnownSignatures {
  readonly #answers = new Map<string, boolean>();
  readonly #keys = new Map<KeyObject, number>();

  /** @param args of `crypto.verify`: algorithm, text, key, signature. */
  answer(args: readonly unknown[], check: () => boolean): boolean {
    const [, text, key, signature] = args as readonly [null, Buffer, KeyObject, Buffer];
    const keyNumber = this.#keys.get(key) ?? this.#keys.size;
    this.#keys.set(key, keyNumber);
    const name = `${keyNumber}/${signature.toString('latin1')}/${text.toString('latin1')}`;
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    const answer = check();
    if (this.#answers.size >= MAX_KNOWN) this.#answers.clear();
    this.#answers.set(name, answer);
    return answer;
  }
}
