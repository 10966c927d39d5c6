import type { OwnedSecret } from '#local-agent/rotate-keys.ts';
import { firstCloudSecret } from './keys.ts';

/** Secrets Manager with the cloud zone's one secret, and all values that it ever had. */
export class CloudSecretStore implements OwnedSecret {
  readonly #values = [firstCloudSecret()];

  /** Every value, the first one first. */
  get values(): readonly string[] {
    return this.#values;
  }

  async read(): Promise<string> {
    return Promise.resolve(this.#values.at(-1) ?? '');
  }

  async write(text: string): Promise<void> {
    this.#values.push(text);
    await Promise.resolve();
  }
}
