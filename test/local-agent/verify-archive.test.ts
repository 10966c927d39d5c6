import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import type { VerifyReport } from '#local-agent/verify/verify.ts';
import { archivedObject } from '#protocol/archive.ts';
import type { LedgerChange } from '#protocol/archive.ts';
import { LedgerEntry } from '#protocol/ledger-entry.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { createMemoryArchive } from '#test/support/memory/memory-archive.ts';

const HOUR_MS = 3_600_000;

let world: LocalWorld;
let archive: ReturnType<typeof createMemoryArchive>;
beforeEach(async () => {
  world = await createLocalWorld(['laptop']);
  archive = createMemoryArchive();
  await world.draft('lunch');
  await syncVault(world.agent);
  for (const { entry } of world.ledger.rows) await keep(entry);
});
afterEach(() => world.dispose());

async function keep(entry: unknown, change: LedgerChange['change'] = 'insert'): Promise<void> {
  const { vaultId, n } = LedgerEntry.parse(entry);
  await archive.put(archivedObject({ change, vaultId, n, image: entry, sequence: '000001' }));
}

function verify(): Promise<VerifyReport> {
  return verifyVault({ ...world.restart(), archive });
}

describe('verify with an archive', () => {
  it('finds nothing where it holds what the ledger holds', async () => {
    expect(await verify()).toMatchObject({ ok: true, notices: [] });
  });

  it('notices a ledger that was set back together with the copy of this machine', async () => {
    const [, second] = world.ledger.rows;
    const further = { ...LedgerEntry.parse(second?.entry), n: world.ledger.rows.length + 1 };
    await keep(further);
    const { ok, problems } = await verify();
    expect(ok).toBe(false);
    expect(problems).toMatchObject([{ code: 'archive', n: further.n }]);
    expect(problems[0]?.message).toContain(`the ledger ends with entry ${further.n - 1}`);
  });

  it('notices an entry that is another than the one in the archive', async () => {
    await keep({ ...LedgerEntry.parse(world.ledger.rows[1]?.entry), at: '2026-11-21T07:00:00.000Z' });
    expect((await verify()).problems).toMatchObject([{ code: 'archive', n: 2 }]);
  });

  it.each(['modify', 'remove'] as const)(
    'tells that somebody tried to %s an entry, though it was put back',
    async (change) => {
      await keep(world.ledger.rows[1]?.entry, change);
      expect((await verify()).problems).toMatchObject([{ code: 'archive', n: 2 }]);
    },
  );

  it('takes no notice of an entry that is on its way, and says it of one that is late', async () => {
    archive.objects.delete([...archive.objects.keys()].sort()[2] ?? '');
    expect(await verify()).toMatchObject({ ok: true, notices: [] });
    world.clock.advance(2 * HOUR_MS);
    expect(await verify()).toMatchObject({ ok: true, notices: [{ code: 'unarchived', n: 3 }] });
  });

  it('says that the archive could not be read, and goes on with the rest', async () => {
    const report = await verifyVault({
      ...world.restart(),
      archive: {
        async *names() {
          throw new Error('not authorized to perform: s3:ListBucket');
        },
        read: (name) => archive.read(name),
      },
    });
    expect(report.ok).toBe(true);
    expect(report.notices).toMatchObject([{ code: 'skipped' }]);
    expect(report.notices[0]?.message).toContain('s3:ListBucket');
  });

  it('shows a thousand entries too many as a few', async () => {
    const one = LedgerEntry.parse(world.ledger.rows[1]?.entry);
    for (let n = 1000; n < 2000; n++) await keep({ ...one, n });
    expect((await verify()).problems).toHaveLength(10);
  });
});
