import { describe, expect, it, vi } from 'vitest';
import { createArchiveHandler } from '#lambdas/archive/handler.ts';
import { toItem } from '#adapters/dynamodb-item.ts';
import { archivedEntry } from '#protocol/archive.ts';
import { canonicalJson } from '#protocol/canonical.ts';
import { entryHash } from '#protocol/ledger-entry.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { ArchivedObject } from '#protocol/archive.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import { createMemoryArchive } from '#test/support/memory/memory-archive.ts';

const CONTEXT = {
  functionName: 'archive',
  functionVersion: '1',
  invokedFunctionArn: 'arn',
  memoryLimitInMB: '128',
  awsRequestId: 'request-1',
};
const ENV = {
  ARCHIVE_BUCKET: 'archive',
  POWERTOOLS_SERVICE_NAME: 'archive',
  POWERTOOLS_LOG_LEVEL: 'INFO',
} as const;

function record(entry: LedgerEntry, eventName = 'INSERT', sequence = `s${entry.n}`): object {
  const { vaultId, n } = entry;
  const NewImage = eventName === 'REMOVE' ? {} : { NewImage: toItem(entry) };
  return { eventName, dynamodb: { Keys: toItem({ vaultId, n }), ...NewImage, SequenceNumber: sequence } };
}

/** A ledger of four entries, an archive, and what the function printed. */
function arranged(put?: (object: ArchivedObject) => void) {
  const factory = createLedgerFactory('vault/1');
  for (let i = 0; i < 3; i++)
    factory.append({
      body: { kind: 'override', what: { of: 'repair', code: 'x' }, reason: `a secret word ${i}` },
    });
  const archive = createMemoryArchive();
  const printed: string[] = [];
  for (const name of ['info', 'error', 'log'] as const)
    vi.spyOn(console, name).mockImplementation(
      (line: unknown) => void printed.push(JSON.stringify(JSON.parse(String(line)))),
    );
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  const handler = createArchiveHandler(ENV, {
    archive: {
      put: async (object) => {
        put?.(object);
        await archive.put(object);
      },
    },
  });
  const send = (...Records: object[]) => handler({ Records }, CONTEXT);
  return { entries: factory.entries, archive, printed, send };
}

describe('the archive function', () => {
  it('keeps each entry as it was written, under its number and the hash that the next entry names', async () => {
    const { entries, archive, send } = arranged();
    expect(await send(...entries.map((entry) => record(entry)))).toEqual({ batchItemFailures: [] });
    const kept = [...archive.objects].sort(([a], [b]) => (a < b ? -1 : 1));
    expect(kept.map(([name]) => archivedEntry(name))).toEqual(
      entries.map((entry) => ({ n: entry.n, hash: entryHash(entry) })),
    );
    expect(kept.map(([name]) => name.slice(0, 30))).toEqual(
      entries.map(({ n }) => `ledger/vault%2F1/00000000000${n}-`),
    );
    for (const [index, [, bytes]] of kept.entries()) {
      expect(Buffer.from(bytes).toString()).toBe(canonicalJson(entries[index]));
      if (index > 0) expect(entries[index]?.prev).toBe(archivedEntry(kept[index - 1]?.[0] ?? '')?.hash);
    }
  });

  it('does the same when a batch comes twice, and logs numbers and no bodies', async () => {
    const { entries, archive, printed, send } = arranged();
    await send(...entries.map((entry) => record(entry)));
    const names = [...archive.objects.keys()];
    await send(...entries.map((entry) => record(entry)));
    expect([...archive.objects.keys()]).toEqual(names);
    expect(printed.join('\n')).toContain('"n":4');
    for (const { body } of entries) expect(printed.join('\n')).not.toContain(body);
  });

  it.each([
    ['MODIFY', 'modify'],
    ['REMOVE', 'remove'],
  ])('keeps what somebody did to an entry afterwards (%s), and says so loudly', async (eventName, change) => {
    const { entries, archive, printed, send } = arranged();
    const [entry] = entries;
    if (!entry) throw new Error('arranged badly');
    await send(record({ ...entry, at: '2030-01-01T00:00:00.000Z' }, eventName, '000001'));
    const [[name, bytes] = ['', new Uint8Array()]] = archive.objects;
    expect(name).toBe('rewritten/vault%2F1/000000000001-000001.json');
    expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({ change, n: 1, vaultId: 'vault/1' });
    expect(
      printed.filter((line) => line.includes('"ERROR"') && line.includes('the ledger was rewritten')),
    ).toHaveLength(1);
  });

  it('reports those alone that could not be put', async () => {
    const { entries, archive, printed, send } = arranged(({ name }) => {
      if (name.includes('000000000002-')) throw new Error('throttled');
    });
    expect(await send(...entries.map((entry) => record(entry)))).toEqual({
      batchItemFailures: [{ itemIdentifier: 's2' }],
    });
    expect(archive.objects.size).toBe(3);
    expect(printed.some((line) => line.includes('throttled') && line.includes('"n":2'))).toBe(true);
  });

  it('throws for what is no event of a stream, so that nothing counts as kept', async () => {
    const { send } = arranged();
    await expect(send({ eventName: 'INSERT' })).rejects.toThrow();
    await expect(send()).rejects.toThrow();
  });
});
