import { loadContent } from '#protocol/content-store.ts';
import { contentsOf } from '#protocol/ledger-contents.ts';
import { LedgerEntry, openBody } from '#protocol/ledger-entry.ts';
import type { Keyring } from '#protocol/seal.ts';
import type { Step } from '../kernel/kernel.ts';
import { CANARY } from '../world/canaries.ts';
import { VAULT_ID } from '../world/keys.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';

/** What is never to leave the machine: its file's name says so. */
const SECRET = `${CANARY}-secret-`;

/**
 * Invariants 11 and 12: private files carry canaries. No request to any service has one in plain; what the cloud's keys
 * open has none; and those of withheld files are nowhere at all, not even sealed for the owner alone. No line of a log
 * has one either. The same holds for the keys that no service is to have: private vault keys, and what machines and approver
 * sign with.
 */
export function auditSecrets(world: World): Auditor {
  function ownKeys(): string[] {
    return [...world.machines.values()].flatMap(({ keys }) => keys.ownKeys);
  }

  function request({ kind, port, method, args }: Step): void {
    if (kind !== 'service') return;
    const text = args.map((arg) => textOf(arg)).join('\n');
    requireThat(!text.includes(CANARY), '11', () => `${port}.${method} has ${around(text)} in plain`);
    requireThat(
      !ownKeys().some((key) => text.includes(key)),
      '12',
      () => `${port}.${method} has a key that only the owner's machines hold`,
    );
  }

  async function readable(stored: unknown, keyring: Keyring): Promise<string> {
    const parsed = LedgerEntry.safeParse(stored);
    if (!parsed.success) return '';
    try {
      const body = openBody(parsed.data, keyring);
      if (!body) return '';
      const contents: string[] = [JSON.stringify(body)];
      for (const content of contentsOf(body)) {
        const bytes = await loadContent(
          content,
          parsed.data.ring,
          keyring,
          VAULT_ID,
          world.cloud.blobs,
        ).catch(() => undefined);
        contents.push(bytes?.toString() ?? '');
      }
      return contents.join('\n');
    } catch {
      // Refused by all readers.
      return '';
    }
  }

  return {
    step: request,
    atEnd: async () => {
      const keyring = world.machines.get('laptop')?.keys.vaultKeys ?? [];
      const ofCloud = keyring.map(({ keyEpoch, shared }) => ({ keyEpoch, shared }));
      for (const { n, entry } of world.cloud.ledger.rows) {
        const shared = await readable(entry, ofCloud);
        requireThat(
          !shared.includes(CANARY),
          '11',
          () => `the cloud can read ${around(shared)} in entry ${n}`,
        );
        const all = await readable(entry, keyring);
        requireThat(!all.includes(SECRET), '11', () => `${around(all)} left its machine with entry ${n}`);
      }
      for (const { name, told } of world.machines.values()) {
        const line = told.find((each) => each.includes(CANARY));
        requireThat(line === undefined, '11', () => `the log of ${name} says ${line ?? ''}`);
        const isTold = told.some((each) => ownKeys().some((key) => each.includes(key)));
        requireThat(!isTold, '12', () => `the log of ${name} has a key`);
      }
    },
  };
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value).map(textOf).join('\n');
}

function around(text: string): string {
  const at = text.indexOf(CANARY);
  return JSON.stringify(text.slice(at, at + 40));
}
