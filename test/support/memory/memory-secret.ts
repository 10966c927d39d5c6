import type { SecretSource } from '#protocol/ports.ts';

/** A secret that stands in the test itself. */
export function createMemorySecret(value: string): SecretSource & { write(next: string): void } {
  let current = value;
  return {
    read: async () => current,
    write: (next) => {
      current = next;
    },
  };
}
