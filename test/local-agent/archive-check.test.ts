import { expect, it } from 'vitest';
import { archiveCheck } from '#local-agent/archive-check.ts';
import { createMemoryArchive } from '#test/support/memory/memory-archive.ts';

const place = { vaultId: 'v', bucket: 'the-archive' };

it('finds an archive that can be listed and read, with or without anything in it', async () => {
  const archive = createMemoryArchive();
  expect(await archiveCheck(archive, place)).toMatchObject({ ok: true, detail: 'the-archive: nothing yet' });
  await archive.put({ name: 'ledger/v/000000000001-a.json', bytes: Buffer.from('{}') });
  expect(await archiveCheck(archive, place)).toMatchObject({ ok: true, detail: 'the-archive' });
});

it.each(['names', 'read'] as const)('says what to do when it cannot be asked for %s', async (what) => {
  const archive = createMemoryArchive();
  await archive.put({ name: 'ledger/v/000000000001-a.json', bytes: Buffer.from('{}') });
  const denied = (): never => {
    throw new Error('not authorized to perform: s3:GetObject');
  };
  const check = await archiveCheck({ ...archive, [what]: denied }, place);
  expect(check).toMatchObject({ ok: false, detail: expect.stringContaining('not authorized') as string });
  expect(check.fix).toContain('the-archive');
});

it('warns where the config names none', async () => {
  const check = await archiveCheck(undefined, { vaultId: 'v' });
  expect(check).toMatchObject({ ok: true, warning: true });
});
