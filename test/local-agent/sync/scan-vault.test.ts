import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { nodeDisk } from '#local-agent/files/disk.ts';
import { DiskError, diskError } from '#local-agent/files/disk-error.ts';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { scanVault } from '#local-agent/sync/scan.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { Files } from '#protocol/ports.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';
import { systemError, tappedDisk } from '#test/support/tapped-disk.ts';
import type { Moment } from '#test/support/tapped-disk.ts';

let world: LocalWorld;
beforeEach(async () => {
  world = await createLocalWorld();
});
afterEach(() => world.dispose());

const at = (vaultPath: string): string => path.join(world.vault, vaultPath);

function put(vaultPath: string, text: string): void {
  mkdirSync(path.dirname(at(vaultPath)), { recursive: true });
  writeFileSync(at(vaultPath), text);
}

/** The agent with files that say what is read of them. */
function reading(replaced: Partial<Files> = {}): { readonly agent: Agent; readonly read: string[] } {
  const read: string[] = [];
  const files = createNodeFiles(world.vault);
  const spied: Files = {
    ...files,
    read(vaultPath) {
      read.push(vaultPath);
      return (replaced.read ?? files.read)(vaultPath);
    },
  };
  return { agent: world.restart({ files: spied }), read };
}

/** The agent with somebody at each moment of the disk. */
function watched(onMoment: (moment: Moment) => void): Agent {
  return world.restart({ files: createNodeFiles(world.vault, { disk: tappedDisk(onMoment) }) });
}

async function untilSettled(agent: Agent, read: string[]): Promise<void> {
  await vi.waitFor(async () => {
    read.length = 0;
    await scanVault(agent);
    expect(read).toEqual([]);
  });
}

const inLedger = (vaultPath: string): string | undefined =>
  world.agent.session.state.files.get(vaultPath)?.content.sha256;

describe('27: a scan', () => {
  it('reads no unchanged body, in this process or another', async () => {
    for (let n = 0; n < 50; n++) put(`Journal/${n}.md`, `note ${n}`);
    const { agent, read } = reading();
    await scanVault(agent);
    expect(read).toHaveLength(50);
    await untilSettled(agent, read);
    const later = reading();
    const scan = await scanVault(later.agent);
    expect(later.read).toEqual([]);
    expect(scan.files.get('Journal/7.md')).toBe(sha256Hex('note 7'));
    expect(scan.stats.get('Journal/7.md')?.fileId).not.toBe('');
  });

  it('sees bytes of the same size under a restored date', async () => {
    const date = new Date('2026-01-02T03:04:05.000Z');
    put('a.md', 'one');
    utimesSync(at('a.md'), date, date);
    const { agent, read } = reading();
    await untilSettled(agent, read);
    const before = statSync(at('a.md'));
    writeFileSync(at('a.md'), 'two');
    utimesSync(at('a.md'), date, date);
    const { ino, mtimeMs, size } = statSync(at('a.md'));
    expect({ ino, mtimeMs, size }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs, size: before.size });
    expect((await scanVault(agent)).files.get('a.md')).toBe(sha256Hex('two'));
  });

  it('sees a file that was put in place of another with its size and date', async () => {
    put('a.md', 'one');
    const { agent, read } = reading();
    await untilSettled(agent, read);
    const { atime, mtime } = statSync(at('a.md'));
    put('b', 'two');
    utimesSync(at('b'), atime, mtime);
    renameSync(at('b'), at('a.md'));
    expect((await scanVault(agent)).files.get('a.md')).toBe(sha256Hex('two'));
  });

  it('never takes old bytes for new ones, however fast one save follows another', async () => {
    const { agent } = reading();
    for (let n = 100; n < 400; n++) {
      put('a.md', `${n}`);
      expect((await scanVault(agent)).files.get('a.md')).toBe(sha256Hex(`${n}`));
    }
  });

  it('never does so on a disk that counts in seconds either', async () => {
    const inSeconds = (file: string): Stats | undefined => {
      const stat = nodeDisk.lstat(file);
      for (const time of ['mtimeMs', 'ctimeMs'] as const)
        if (stat) Object.defineProperty(stat, time, { value: Math.floor(stat[time] / 1000) * 1000 });
      return stat;
    };
    const disk = { ...nodeDisk, lstat: inSeconds };
    const agent = world.restart({ files: createNodeFiles(world.vault, { disk }) });
    for (let n = 100; n < 150; n++) {
      put('a.md', `${n}`);
      expect((await scanVault(agent)).files.get('a.md')).toBe(sha256Hex(`${n}`));
    }
  });

  it('finds a file that is moved while folders are listed, from one not yet read to one that was', async () => {
    put('A/other.md', 'x');
    put('B/a.md', 'moving');
    await syncVault(world.agent);
    const folders: string[] = readdirSync(world.vault).filter((name) => !name.startsWith('.'));
    const [first = '', second = ''] = folders;
    // Whichever the system lists first.
    renameSync(at('B/a.md'), at(`${second}/moved.md`));
    await syncVault(world.agent);
    let moved = false;
    const agent = watched(({ call, when, args }) => {
      if (moved || call !== 'names' || when === 'after' || !String(args[0]).endsWith(`/${second}`)) return;
      moved = true;
      renameSync(at(`${second}/moved.md`), at(`${first}/there.md`));
    });
    const scan = await scanVault(agent);
    expect(moved).toBe(true);
    expect(scan.files.get(`${first}/there.md`)).toBe(sha256Hex('moving'));
    expect(scan.files.has(`${second}/moved.md`)).toBe(false);
  });

  it('finds a file that is moved while bodies are read', async () => {
    put('a.md', 'one');
    put('b.md', 'two');
    let moved = false;
    const files = createNodeFiles(world.vault);
    const { agent } = reading({
      read(vaultPath) {
        if (!moved) renameSync(at('b.md'), at('c.md'));
        moved = true;
        return files.read(vaultPath);
      },
    });
    expect([...(await scanVault(agent)).files.keys()].sort()).toEqual(['a.md', 'c.md']);
  });

  it('takes what is edited and made during a sync with the next one, and loses none of it', async () => {
    for (let n = 0; n < 20; n++) put(`Journal/${n}.md`, `note ${n}`);
    let made = 0;
    const agent = watched(({ call }) => {
      if (call !== 'fstat' || made === 50) return;
      put(`New/${made}.md`, `made ${made}`);
      put(`Journal/${made % 20}.md`, `edited ${made}`);
      made += 1;
    });
    await syncVault(agent);
    expect(made).toBe(50);
    await syncVault(agent);
    await world.agent.session.pull();
    for (let n = 0; n < 50; n++) expect(inLedger(`New/${n}.md`), `${n}`).toBe(sha256Hex(`made ${n}`));
    for (let n = 30; n < 50; n++) expect(inLedger(`Journal/${n % 20}.md`)).toBe(sha256Hex(`edited ${n}`));
    expect(await syncVault(agent)).toMatchObject({ pushed: 0, applied: 0 });
  });

  it('tells how far it is', async () => {
    for (let n = 0; n < 5; n++) put(`Journal/${n}.md`, `note ${n}`);
    const steps: unknown[] = [];
    await scanVault(world.restart({ progress: (step) => steps.push(step) }));
    expect(steps).toHaveLength(5);
    expect(steps.at(-1)).toMatchObject({ stage: 'scan', done: 5, total: 5 });
  });
});

describe('what is withheld is not gone', () => {
  /** Files of the vault, of which some cannot be reached. */
  function refusing(code: string, call: 'open' | 'names', name: string): Agent {
    return watched((moment) => {
      const place = String(moment.args[0]);
      if (moment.call === call && moment.when === 'before' && place.endsWith(`/${name}`))
        throw systemError(code);
    });
  }

  it.each(['EACCES', 'EIO', 'EPERM'])(
    '28: a file that cannot be read (%s): it is named, and the ledger keeps it',
    async (code) => {
      put('Journal/a.md', 'one');
      put('Journal/b.md', 'two');
      await syncVault(world.agent);
      writeFileSync(at('Journal/a.md'), 'three');
      const report = await syncVault(refusing(code, 'open', 'a.md'));
      expect(report.withheld).toEqual([
        { path: 'Journal/a.md', why: expect.stringContaining('it cannot be read') as string },
      ]);
      await world.agent.session.pull();
      expect(inLedger('Journal/a.md')).toBe(sha256Hex('one'));
      await syncVault(world.agent);
      expect(inLedger('Journal/a.md')).toBe(sha256Hex('three'));
    },
  );

  it('28: a folder that cannot be read: all that is in it stays in the ledger', async () => {
    for (let n = 0; n < 12; n++) put(`Locked/Deep/${n}.md`, `${n}`);
    await syncVault(world.agent);
    const agent = refusing('EACCES', 'names', 'Locked');
    const scan = await scanVault(agent);
    expect(scan.withheld).toEqual([{ path: 'Locked', why: 'it cannot be read (permission denied)' }]);
    expect(scan.isWithheld('Locked/Deep/3.md')).toBe(true);
    expect(scan.isWithheld('Lockedness.md')).toBe(false);
    expect(await syncVault(agent)).toMatchObject({ pushed: 0, applied: 0 });
    expect(inLedger('Locked/Deep/3.md')).toBe(sha256Hex('3'));
  });

  it('27: a file larger than 25 MB is not even opened', async () => {
    put('huge.bin', '');
    truncateSync(at('huge.bin'), 25 * 1024 * 1024 + 1);
    const { agent, read } = reading();
    expect((await scanVault(agent)).withheld).toEqual([{ path: 'huge.bin', why: 'it is larger than 25 MB' }]);
    expect(read).toEqual([]);
  });

  it('31: a file that holds a credential is read once, and again when it has changed', async () => {
    put('Journal/keys.md', `AKIA${'Z2XY'.repeat(4)}`);
    const { agent, read } = reading();
    expect((await scanVault(agent)).withheld).toMatchObject([{ path: 'Journal/keys.md' }]);
    await untilSettled(agent, read);
    expect((await scanVault(agent)).withheld).toMatchObject([{ path: 'Journal/keys.md' }]);
    put('Journal/keys.md', 'nothing of the kind');
    const scan = await scanVault(agent);
    expect([scan.withheld, scan.files.size]).toEqual([[], 1]);
  });

  it('31: a synced file that becomes a secret stays in the ledger as it was', async () => {
    put('Journal/keys.md', 'harmless');
    await syncVault(world.agent);
    put('Journal/keys.md', `AKIA${'Z2XY'.repeat(4)}`);
    expect((await syncVault(world.agent)).withheld).toMatchObject([{ path: 'Journal/keys.md' }]);
    rmSync(at('Journal/keys.md'));
    put('Journal/keys.md', 'harmless again');
    await syncVault(world.agent);
    expect(inLedger('Journal/keys.md')).toBe(sha256Hex('harmless again'));
  });

  it.runIf(process.platform === 'linux').each([
    ['con.md', 'reserved on Windows'],
    ['ends with a dot.', 'ends with a dot'],
    [' begins with a space.md', 'begins or ends with a space'],
    ['what?.md', 'a character that a file name cannot have'],
    ['cafe\u0301.md', 'Unicode normal form C'],
    [`${'n'.repeat(241)}.md`, 'longer than 240 bytes'],
  ])('26: %j is named with what is wrong, as a file and as a folder', async (name, why) => {
    put(name, 'x');
    put(`Folder/${name}.d/a.md`, 'x');
    put(`In/${name}/a.md`, 'x');
    const scan = await scanVault(world.agent);
    const mine = scan.withheld.find(({ path: each }) => each === name);
    expect(mine?.why).toContain(why);
    expect(mine?.why).toMatch(/under another name it is synced$/);
    expect(scan.withheld.find(({ path: each }) => each === `In/${name}/a.md`)?.why).toContain(
      'its files are synced',
    );
    expect(await syncVault(world.agent)).toMatchObject({ conflicts: [] });
  });

  it('26: a path of more than 1000 characters is named', async () => {
    const deep = Array.from({ length: 6 }, (_, n) => `${n}`.repeat(180)).join('/');
    put(`${deep}/a.md`, 'x');
    const [only] = (await scanVault(world.agent)).withheld;
    expect(only?.why).toBe('its path is longer than 1000 characters');
  });
});

describe("26: other programs' files", () => {
  const THEIRS = [
    'note.md~',
    '#note.md#',
    '~$report.docx',
    '~WRL0001.tmp',
    'book.pdf.part',
    'x.CRDOWNLOAD',
    'Thumbs.db',
    'desktop.ini',
    'Icon\r',
  ];
  const NOTES = [
    '4913.md',
    '2026',
    'a~b.md',
    '#1 idea.md',
    '# heading #',
    'draft.tmp.md',
    'part.md',
    'tmp',
    '~.md',
    'spare.partial.md',
    'icon.md',
  ];

  it('that they keep beside a note while they work are neither synced nor listed, nor ever deleted', async () => {
    for (const name of THEIRS) put(`Journal/${name}`, 'x');
    put('Journal/4913', '');
    put('Journal/.note.md.swp', 'x');
    const scan = await scanVault(world.agent);
    expect([scan.files.size, scan.withheld]).toEqual([0, []]);
    for (const name of [...THEIRS, '.note.md.swp'])
      expect(scan.isWithheld(`Journal/${name}`), name).toBe(true);
    await syncVault(world.agent);
    expect(readdirSync(at('Journal'))).toHaveLength(THEIRS.length + 2);
    expect(world.agent.session.state.files.size).toBe(0);
  });

  it('are told from notes, whatever those are called', async () => {
    for (const name of NOTES) put(`Journal/${name}`, 'x');
    put('Journal/5036', 'a note about a number');
    const scan = await scanVault(world.agent);
    expect([...scan.files.keys()].sort()).toEqual([...NOTES, '5036'].map((name) => `Journal/${name}`).sort());
    for (const vaultPath of scan.files.keys()) expect(scan.isWithheld(vaultPath)).toBe(false);
  });
});

it('an error that is no refusal of the disk is not swallowed', async () => {
  put('a.md', 'x');
  const { agent } = reading({ read: () => Promise.reject(new TypeError('a defect')) });
  await expect(scanVault(agent)).rejects.toThrow('a defect');
  expect(diskError('a.md', 'read', new TypeError('a defect'))).not.toBeInstanceOf(DiskError);
  chmodSync(at('a.md'), 0o600);
});
