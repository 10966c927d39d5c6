import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoClient } from '#adapters/dynamodb-client.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { systemClock } from '#adapters/system-clock.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import { entryHash, LedgerEntry } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { LedgerStore } from '#protocol/ports.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { startEmulators } from '#test/support/emulators.ts';
import { createMemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import { createTables } from './dynamodb-tables.ts';
import { inMemory } from './harness.ts';
import type { Harness } from './harness.ts';

const SESSIONS = 16;
const EACH = 25;

describe.each<[string, () => Promise<Harness<LedgerStore>>]>([
  ['memory', () => inMemory(createMemoryLedgerStore(), undefined)],
  ['DynamoDB (dynalite)', onDynalite],
])('many writers at once: %s', (_name, makeStore) => {
  let harness: Harness<LedgerStore>;
  beforeAll(async () => {
    harness = await makeStore();
  });
  afterAll(() => harness.close());

  it(`${SESSIONS} sessions append ${EACH} entries each: all are there, in one chain without a hole`, async () => {
    let puts = 0;
    const counting: LedgerStore = {
      read: (vaultId, after) => harness.adapter.read(vaultId, after),
      append: (entry) => {
        puts += 1;
        return harness.adapter.append(entry);
      },
    };
    const { vaultId, sessions } = await manySessions(counting);
    await Promise.all(
      sessions.map(async (session, who) => {
        for (let i = 0; i < EACH; i++) {
          expect((await session.append(() => ({ body: said(`${who}/${i}`) }))).appended).toBe(true);
        }
      }),
    );
    const entries = await readAll(harness.adapter, vaultId);
    expect(entries.map(({ n }) => n)).toEqual(entries.map((_entry, i) => i + 1));
    expect(entries).toHaveLength(1 + SESSIONS * EACH);
    for (const [i, entry] of entries.slice(1).entries()) {
      const before = entries[i];
      expect(entry.prev).toBe(before && entryHash(before));
    }
    expect(new Set(entries.map(({ attempt }) => attempt)).size).toBe(entries.length);
    const [reader] = sessions;
    await reader?.pull();
    expect(reader?.state.head.n).toBe(1 + SESSIONS * EACH);
    // Without the pauses each entry costs about as many tries as there are writers.
    expect(puts / (SESSIONS * EACH)).toBeLessThan(SESSIONS / 2);
  }, 60_000);
});

/** Sessions of the same writer: an agent, its daemon and its functions are no different to the ledger. */
async function manySessions(ledger: LedgerStore): Promise<{ vaultId: string; sessions: LedgerSession[] }> {
  const vaultId = randomUUID();
  const signingKey = newSigningKey();
  const keyring = [{ keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() }];
  const writer = { vaultId, writer: 'laptop', signingKey, keyring };
  const ports = { ledger, clock: systemClock, ids: randomIds };
  const sessions = Array.from(
    { length: SESSIONS },
    () => new LedgerSession(writer, signingKey.publicKey, ports),
  );
  const writers = [{ writer: 'laptop', zone: 'local' as const, publicKey: signingKey.publicKey }];
  await sessions[0]?.append(() => ({ body: { kind: 'keys', keyEpoch: 1, writers, approvers: [] } }));
  return { vaultId, sessions };
}

function said(code: string): LedgerBody {
  return { kind: 'override', what: { of: 'repair', code }, reason: 'a test' };
}

async function readAll(store: LedgerStore, vaultId: string): Promise<LedgerEntry[]> {
  const all: LedgerEntry[] = [];
  for (let more = true; more;) {
    const page = await store.read(vaultId, all.length);
    all.push(...page.entries.map((entry) => LedgerEntry.parse(entry)));
    more = page.more;
  }
  return all;
}

async function onDynalite(): Promise<Harness<LedgerStore>> {
  const emulators = await startEmulators();
  const client = createDynamoClient(emulators.clientOptions());
  await createTables(client);
  return {
    adapter: createDynamoLedgerStore(client, 'ledger'),
    extra: undefined,
    close: async () => {
      client.destroy();
      await emulators.close();
    },
  };
}
