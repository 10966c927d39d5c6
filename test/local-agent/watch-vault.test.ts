import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FolderWatches } from '#local-agent/folder-watches.ts';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { watchVault } from '#local-agent/watch-vault.ts';
import { sha256Hex } from '#protocol/canonical.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'employee-watch-'));
});
const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
  rmSync(root, { recursive: true, force: true });
});

function put(vaultPath: string, text = 'x'): void {
  mkdirSync(path.dirname(path.join(root, vaultPath)), { recursive: true });
  writeFileSync(path.join(root, vaultPath), text);
}

const move = (from: string, to: string): void => renameSync(path.join(root, from), path.join(root, to));

describe.runIf(process.platform === 'linux')('one watch a folder', () => {
  let events: number;
  function watches(): FolderWatches {
    const made = new FolderWatches(
      root,
      () => (events += 1),
      () => undefined,
    );
    open.push(made);
    return made;
  }
  /** Does something and waits until it was noticed. */
  async function noticed(act: () => void): Promise<void> {
    const before = events;
    act();
    await vi.waitFor(() => expect(events).toBeGreaterThan(before));
  }
  beforeEach(() => {
    events = 0;
  });

  it('and none for a file, a hidden folder or a link', () => {
    for (let n = 0; n < 30; n++) put(`Journal/${n % 3}/${n}.md`);
    put('.git/refs/heads/main');
    symlinkSync(tmpdir(), path.join(root, 'Elsewhere'));
    expect(watches().size).toBe(5);
  });

  it('follows folders that come, go, are moved and are made anew', async () => {
    put('A/a.md');
    const made = watches();
    expect(made.size).toBe(2);
    await noticed(() => put('B/C/D/a.md'));
    await vi.waitFor(() => expect(made.size).toBe(5));
    await noticed(() => put('B/C/D/a.md', 'edited'));
    await noticed(() => move('B', 'A/B'));
    await vi.waitFor(() => expect(made.size).toBe(5));
    await noticed(() => put('A/B/C/D/a.md', 'edited again'));
    await noticed(() => rmSync(path.join(root, 'A/B'), { recursive: true }));
    await vi.waitFor(() => expect(made.size).toBe(2));
    await noticed(() => {
      rmSync(path.join(root, 'A'), { recursive: true });
      put('A/new.md');
    });
    await noticed(() => put('A/new.md', 'edited'));
    await vi.waitFor(() => expect(made.size).toBe(2));
  });

  it('begins anew when the vault is another folder', async () => {
    put('A/a.md');
    const made = watches();
    renameSync(root, `${root}-away`);
    made.refresh();
    expect(made.size).toBe(0);
    renameSync(`${root}-away`, root);
    made.refresh();
    expect(made.size).toBe(2);
    await noticed(() => put('A/a.md', 'edited'));
    made.refresh();
    expect(made.size).toBe(2);
  });

  it('watches a vault that is named by a link', async () => {
    put('Real/A/a.md');
    symlinkSync(path.join(root, 'Real'), path.join(root, 'Named'));
    const made = new FolderWatches(
      path.join(root, 'Named'),
      () => (events += 1),
      () => undefined,
    );
    open.push(made);
    expect(made.size).toBe(2);
    await noticed(() => put('Real/A/a.md', 'edited'));
  });

  it.each(['ENOSPC', 'EMFILE'])(
    'says once that the system has no more of them (%s) and keeps those it has',
    async (code) => {
      for (let n = 0; n < 9; n++) put(`${n}/a.md`);
      const limits: number[] = [];
      let given = 0;
      const made = new FolderWatches(
        root,
        () => (events += 1),
        (watched) => limits.push(watched),
        (start) => {
          given += 1;
          if (given > 4) throw Object.assign(new Error('no more'), { code });
          return start();
        },
      );
      open.push(made);
      expect([made.size, limits]).toEqual([4, [4]]);
      await noticed(() => put('new.md'));
      expect(limits).toEqual([4]);
    },
  );
});

describe('watching a vault', () => {
  it('wakes once for a burst of changes, and soon even if it does not end', async () => {
    put('A/a.md');
    let woken = 0;
    open.push(
      watchVault(
        root,
        () => (woken += 1),
        () => undefined,
      ),
    );
    for (let n = 0; n < 50; n++) put('A/a.md', `${n}`);
    await vi.waitFor(() => expect(woken).toBe(1));
    const writing = setInterval(() => put('A/a.md', `${woken}`), 5);
    try {
      await vi.waitFor(() => expect(woken).toBeGreaterThan(1), { timeout: 5000 });
    } finally {
      clearInterval(writing);
    }
  });

  it('is not woken by hidden files', async () => {
    put('.git/index');
    put('A/a.md');
    let woken = 0;
    open.push(
      watchVault(
        root,
        () => (woken += 1),
        () => undefined,
      ),
    );
    put('.git/index', 'changed');
    put('A/.a.md.swp');
    put('.obsidian/workspace.json');
    // Events come in their order: when this one has come, the others were heard.
    put('A/last.md');
    await vi.waitFor(() => expect(woken).toBe(1));
  });

  it('is woken once by a write of our own', async () => {
    put('A/a.md', 'one');
    let woken = 0;
    open.push(
      watchVault(
        root,
        () => (woken += 1),
        () => undefined,
      ),
    );
    const files = createNodeFiles(root);
    await files.write('A/a.md', Buffer.from('two'), sha256Hex('one'));
    await vi.waitFor(() => expect(woken).toBe(1));
    await files.list();
    await files.read('A/a.md');
    put('A/b.md');
    await vi.waitFor(() => expect(woken).toBe(2));
  });

  it('of a folder that is not there says nothing and wakes nobody', () => {
    const lines: string[] = [];
    const watch = watchVault(
      path.join(root, 'none'),
      () => undefined,
      (line) => lines.push(line),
    );
    open.push(watch);
    watch.refresh();
    expect(process.platform === 'linux' ? lines : []).toEqual([]);
  });
});
