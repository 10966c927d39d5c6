import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectGarbage, MIN_GRACE_MS } from '#local-agent/collect-garbage.ts';
import { load, store, storeAll } from '#local-agent/contents.ts';
import type { ContentRef } from '#protocol/content.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import type { Ring } from '#protocol/seal.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const MONTH = { graceMs: 30 * DAY_MS };

let world: LocalWorld;
beforeEach(async () => {
  world = await createLocalWorld();
});
afterEach(() => world.dispose());

async function put(
  path: string,
  content: ContentRef,
  ring: Ring = 'private',
  { session } = world.agent,
): Promise<void> {
  const base = session.state.files.get(path)?.content.sha256;
  const change = { op: 'put' as const, path, content, ...(base === undefined ? {} : { base }) };
  const outcome = await session.append(() => ({
    ring,
    body: { kind: 'files', changes: [change] },
  }));
  if (!outcome.appended) throw new Error('nothing was appended');
}

function big(): Promise<ContentRef> {
  return store(world.agent, randomBytes(9_000), 'private');
}

function ids(): string[] {
  return [...world.blobs.blobs.keys()];
}

/** A month and a day pass, and life goes on. */
async function muchLater(): Promise<void> {
  world.clock.advance(31 * DAY_MS);
  await world.blobs.put('young', new Uint8Array(1));
}

describe('stored contents that no entry names', () => {
  it('are listed, and removed only with --yes and only when old', async () => {
    await put('a.bin', await big());
    const [named] = ids();
    await big();
    await muchLater();
    await big();
    const plan = await collectGarbage(world.agent, { ...MONTH, act: false });
    expect(plan).toMatchObject({ objects: 4, named: 1, waiting: 2, removed: 0 });
    expect(plan.garbage).toHaveLength(1);
    expect(ids()).toHaveLength(4);

    const done = await collectGarbage(world.agent, { ...MONTH, act: true });
    expect(done).toMatchObject({ removed: 1, garbageBytes: 9_093 });
    expect(ids()).toHaveLength(3);
    expect(ids()).toContain(named);
    expect(await collectGarbage(world.agent, { ...MONTH, act: true })).toMatchObject({ removed: 0 });
  });

  it('are not those of history: what was replaced or deleted stays provable', async () => {
    await put('a.bin', await big());
    await put('a.bin', await big());
    const base = world.agent.session.state.files.get('a.bin')?.content.sha256 ?? '';
    const deleted = { op: 'delete' as const, path: 'a.bin', base };
    await world.agent.session.append(() => ({
      ring: 'private',
      body: { kind: 'files', changes: [deleted] },
    }));
    await muchLater();
    expect(await collectGarbage(world.agent, { ...MONTH, act: true })).toMatchObject({
      named: 2,
      removed: 0,
    });
  });

  it('are not those of packs, conflicts, notes, or entries that were refused', async () => {
    const small = Array.from({ length: 200 }, (_, i) => Buffer.from(`note ${i} `.repeat(200)));
    const [packed] = await storeAll(
      world.agent,
      small.map((bytes) => ({ bytes, ring: 'private' })),
    );
    if (!packed) throw new Error('something was packed');
    await put('packed.md', packed);
    const copy = 'Conflicts/a (laptop 12345678).bin';
    await world.agent.session.append(() => ({
      ring: 'private',
      body: { kind: 'conflict', path: 'a.bin', copy, content: packed },
    }));
    // Refused: the cloud may not write there.
    const refused = await store(world.agent, randomBytes(9_000), 'shared');
    const change = { op: 'put' as const, path: 'Handbook.md', content: refused };
    await world.forge('cloud', { kind: 'files', changes: [change] });
    await muchLater();
    expect(await collectGarbage(world.agent, { ...MONTH, act: true })).toMatchObject({
      objects: 3,
      named: 2,
      removed: 0,
    });
  });

  it('are never younger than a day, whatever is asked for', async () => {
    await big();
    world.clock.advance(MIN_GRACE_MS - 1000);
    await world.blobs.put('young', new Uint8Array(1));
    const report = await collectGarbage(world.agent, { graceMs: 0, act: true });
    expect(report).toMatchObject({ objects: 2, waiting: 2, removed: 0 });
  });

  it('do not grow old by a wrong clock of this machine', async () => {
    await big();
    world.clock.advance(400 * DAY_MS);
    expect(await collectGarbage(world.agent, { ...MONTH, act: true })).toMatchObject({
      waiting: 1,
      removed: 0,
    });
  });

  it('are none where nothing was stored, and nobody else wrote anything', async () => {
    const report = await collectGarbage(world.agent, { ...MONTH, act: true });
    expect(report).toMatchObject({ objects: 0, garbage: [], removed: 0 });
  });

  it('do not grow old by entries that this machine wrote with a wrong clock', async () => {
    await big();
    world.clock.advance(400 * DAY_MS);
    const base = world.agent.session.state.head.n;
    await put('a.bin', { sha256: 'a'.repeat(64), sizeBytes: 1, text: 'a' });
    expect(world.agent.session.state.head.n).toBe(base + 1);
    expect(await collectGarbage(world.agent, { ...MONTH, act: true })).toMatchObject({
      waiting: 1,
      removed: 0,
    });
  });

  it('are kept when they are stored again, or named, while garbage is removed', async () => {
    await big();
    const [again = ''] = ids();
    await big();
    const [, late = ''] = ids();
    await muchLater();
    let listings = 0;
    const inventory = {
      remove: (gone: readonly string[]) => world.blobs.remove(gone),
      list: () => {
        listings += 1;
        // Between the plan and the deed: another machine stores the one again.
        if (listings === 2) world.blobs.storedAt.set(again, world.clock.now());
        return world.blobs.list();
      },
    };
    const reading = world.ledger.read.bind(world.ledger);
    let named = false;
    const agent = {
      ...world.agent,
      inventory,
      ledger: {
        ...world.ledger,
        read: async (vaultId: string, after: number) => {
          if (listings === 2 && !named) {
            named = true;
            const content = { sha256: 'a'.repeat(64), sizeBytes: 1, blob: late };
            await put('late.bin', content, 'private', world.restart());
          }
          return reading(vaultId, after);
        },
      },
    };
    const report = await collectGarbage(agent, { ...MONTH, act: true });
    expect(report).toMatchObject({ removed: 0 });
    expect(report.garbage).toHaveLength(2);
    expect(ids()).toEqual([again, late, 'young']);
  });
});

describe('contents that were stored before a long sleep', () => {
  it('are not named any more, since they may be gone by now; stored again, they are', async () => {
    const early = await big();
    world.clock.advance(13 * 60 * 60 * 1000);
    const entries = world.ledger.rows.length;
    await expect(put('a.bin', early)).rejects.toMatchObject({ code: 'STALE_CONTENTS' });
    expect(world.ledger.rows).toHaveLength(entries);
    const bytes = await load(world.agent, early, 'private');
    await put('a.bin', await store(world.agent, bytes, 'private'));
    // What an entry names is there for good.
    world.clock.advance(13 * 60 * 60 * 1000);
    await put('again.bin', early);
    expect(world.ledger.rows).toHaveLength(entries + 2);
  });
});

describe('nothing is removed', () => {
  beforeEach(async () => {
    await put('a.bin', await big());
    await put('b.md', await store(world.agent, Buffer.from('b'), 'private'));
    await big();
    await muchLater();
  });

  it('while the ledger is not whole', async () => {
    const row = world.ledger.rows.at(-1);
    if (row) row.entry = { ...(row.entry as object), at: '2030-01-01T00:00:00.000Z' };
    await expect(collectGarbage(world.agent, { ...MONTH, act: true })).rejects.toThrow(LedgerIntegrityError);
    expect(ids()).toHaveLength(3);
  });

  it('while the ledger is shorter than this machine saw it, as after a restore', async () => {
    world.ledger.rows.splice(1);
    await expect(collectGarbage(world.agent, { ...MONTH, act: true })).rejects.toThrow('entry 2: is gone');
    expect(ids()).toHaveLength(3);
  });
});
