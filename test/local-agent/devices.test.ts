import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writerOf } from '#local-agent/writer.ts';
import type { Agent } from '#local-agent/agent.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { FileChange } from '#protocol/ledger-body.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import { createFixedClock } from '#test/support/memory/fixed-clock.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { readTree } from '#test/support/vault-tree.ts';

const DAY_MS = 86_400_000;

let world: LocalWorld;
beforeEach(async () => {
  world = await createLocalWorld(['laptop', 'desktop', 'tablet']);
});
afterEach(() => world.dispose());

function write(machine: string, file: string, text: string): void {
  const place = path.join(world.machine(machine).vault, file);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, text);
}

function contents(machine: string): Readonly<Record<string, string>> {
  return readTree(world.machine(machine).vault).contents;
}

/** Nothing is left to do: neither an entry nor a file is written. */
async function expectAtRest(agent: Agent, machine: string): Promise<void> {
  const [entries, tree] = [world.ledger.rows.length, readTree(world.machine(machine).vault)];
  expect(await syncVault(agent)).toMatchObject({ applied: 0, pushed: 0, conflicts: [] });
  expect(world.ledger.rows).toHaveLength(entries);
  expect(readTree(world.machine(machine).vault)).toEqual(tree);
}

/** Lets the first machine have put, replaced, moved and deleted files until the ledger has so many entries. */
async function fillLedger(entries: number): Promise<void> {
  const { agent } = world;
  // A session of its own keeps no copy on disk, which would take most of the time.
  const session = new LedgerSession(writerOf(agent), agent.config.root, agent);
  await session.pull();
  const append = (change: FileChange): Promise<unknown> =>
    session.append(() => ({ ring: 'private', body: { kind: 'files', changes: [change] } }));
  const standing = new Map<string, string>();
  for (let n = world.ledger.rows.length; n < entries; n++) {
    const [[path, base] = []] = standing;
    const text = `The text of entry ${n}.\n`;
    const content = { sha256: sha256Hex(text), sizeBytes: Buffer.byteLength(text), text };
    if (path !== undefined && base !== undefined && n % 5 === 3) {
      standing.delete(path);
      await append({ op: 'delete', path, base });
    } else if (path !== undefined && base !== undefined && n % 5 === 4) {
      standing.set(path, content.sha256);
      await append({ op: 'put', path, content, base });
    } else if (path !== undefined && base !== undefined && n % 5 === 0) {
      const to = `Notes/Moved/note-${n}.md`;
      standing.delete(path);
      standing.set(to, base);
      await append({ op: 'move', path, to, base });
    } else {
      standing.set(`Notes/note-${n}.md`, content.sha256);
      await append({ op: 'put', path: `Notes/note-${n}.md`, content });
    }
  }
}

describe('a third device', () => {
  it(
    'that joins after 1,000 entries has the same tree as the others, and nothing to say itself',
    { timeout: 60_000 },
    async () => {
      await fillLedger(1000);
      await syncVault(world.agent);
      const tablet = world.machine('tablet').agent;
      const report = await syncVault(tablet);
      expect(report).toMatchObject({
        pulled: expect.any(Number) as number,
        pushed: 0,
        conflicts: [],
        incidents: [],
      });
      expect(report.head).toBeGreaterThanOrEqual(1000);
      expect(Object.keys(contents('tablet')).length).toBeGreaterThan(150);
      expect(contents('tablet')).toEqual(contents('laptop'));
      await expectAtRest(tablet, 'tablet');
    },
  );

  it('that brings notes of its own adds them, and keeps both versions where the names are the same', async () => {
    await fillLedger(20);
    await syncVault(world.agent);
    const [taken = ''] = Object.keys(contents('laptop'));
    write('tablet', taken, 'Written on the tablet before it joined.\n');
    write('tablet', 'Notes/only here.md', 'Mine alone.\n');
    const tablet = world.machine('tablet').agent;
    await syncVault(tablet);
    await syncVault(world.agent);
    await syncVault(tablet);
    expect(contents('tablet')).toEqual(contents('laptop'));
    const hashes = Object.values(contents('laptop'));
    for (const text of ['Written on the tablet before it joined.\n', 'Mine alone.\n'])
      expect(hashes).toContain(sha256Hex(text));
    await expectAtRest(tablet, 'tablet');
  });
});

describe('a clock that is set back a day', () => {
  it('between two syncs loses no edit and turns no newer version into an older one', async () => {
    write('laptop', 'Notes/a.md', 'first\n');
    write('laptop', 'Notes/b.md', 'first\n');
    await syncVault(world.agent);
    const desktop = world.machine('desktop').agent;
    await syncVault(desktop);

    const yesterday = createFixedClock(new Date(Date.parse(world.clock.now()) - DAY_MS).toISOString());
    const laptop = world.restart({ clock: yesterday });
    const then = new Date(yesterday.now());
    write('laptop', 'Notes/a.md', 'second, said to be a day older than the first\n');
    utimesSync(path.join(world.vault, 'Notes/a.md'), then, then);
    await syncVault(laptop);
    await syncVault(desktop);
    write('desktop', 'Notes/a.md', 'third\n');
    renameSync(
      path.join(world.machine('desktop').vault, 'Notes/b.md'),
      path.join(world.machine('desktop').vault, 'Notes/c.md'),
    );
    await syncVault(desktop);
    await syncVault(laptop);

    expect(contents('laptop')).toEqual(contents('desktop'));
    expect(contents('laptop')).toEqual({
      'Notes/a.md': sha256Hex('third\n'),
      'Notes/c.md': sha256Hex('first\n'),
    });
    expect(laptop.session.state.refusals).toEqual([]);
    await expectAtRest(laptop, 'laptop');
    await expectAtRest(desktop, 'desktop');
  });
});

describe('a machine that lost its local state', () => {
  /** The ledger's copy, the agreed hashes, everything but vault, config and keys. */
  function loseState(machine: string): Agent {
    const lossy = world.machine(machine);
    for (const end of ['', '-wal', '-shm'])
      rmSync(path.join(path.dirname(lossy.vault), `ledger.db${end}`), { force: true });
    return lossy.restart();
  }

  it('rebuilds it from the ledger and the vault, and writes nothing', async () => {
    for (let i = 0; i < 40; i++) write('laptop', `Notes/note-${i}.md`, `Note ${i}.\n`);
    write('laptop', 'Notes/large.md', 'A long line of a long note.\n'.repeat(2000));
    await syncVault(world.agent);
    await syncVault(world.machine('desktop').agent);
    const before = readTree(world.vault);
    const rebuilt = loseState('laptop');
    const entries = world.ledger.rows.length;
    expect(await syncVault(rebuilt)).toMatchObject({ applied: 0, pushed: 0, conflicts: [] });
    expect(world.ledger.rows).toHaveLength(entries);
    expect(readTree(world.vault)).toEqual(before);
    await expectAtRest(rebuilt, 'laptop');
  });

  it('keeps what was edited, added and deleted on either side meanwhile', async () => {
    for (const name of ['same', 'edited here', 'edited there', 'deleted there', 'deleted here'])
      write('laptop', `Notes/${name}.md`, `The first version of what is ${name}.\n`);
    await syncVault(world.agent);
    const desktop = world.machine('desktop').agent;
    await syncVault(desktop);
    write('desktop', 'Notes/edited there.md', 'The second version, of the desktop.\n');
    rmSync(path.join(world.machine('desktop').vault, 'Notes/deleted there.md'));
    await syncVault(desktop);
    write('laptop', 'Notes/edited here.md', 'The second version, of the laptop.\n');
    write('laptop', 'Notes/added here.md', 'Added by the laptop.\n');
    rmSync(path.join(world.vault, 'Notes/deleted here.md'));

    const rebuilt = loseState('laptop');
    for (let round = 0; round < 2; round++) {
      await syncVault(rebuilt);
      await syncVault(desktop);
    }
    expect(contents('laptop')).toEqual(contents('desktop'));
    const hashes = Object.values(contents('laptop'));
    for (const text of [
      'The first version of what is same.\n',
      'The second version, of the desktop.\n',
      'The second version, of the laptop.\n',
      'Added by the laptop.\n',
    ])
      expect(hashes, text).toContain(sha256Hex(text));
    await expectAtRest(rebuilt, 'laptop');
  });
});
