import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Disk } from '#local-agent/files/disk.ts';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { EmployeeError } from '#protocol/errors.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { systemError, tappedDisk } from '#test/support/tapped-disk.ts';
import { BASE, FILE_CHANGES, INCOMING, NOTE } from './file-changes.ts';
import type { FileChangeCase } from './file-changes.ts';
import { createVaultFolder } from './vault-folder.ts';
import type { VaultFolder } from './vault-folder.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

function arranged(test: FileChangeCase | undefined, root?: string): VaultFolder {
  const vault = createVaultFolder(root);
  ends.push(() => vault.dispose());
  test?.arrange(vault);
  return vault;
}

const isRoot = process.geteuid?.() === 0;
const [, replaced] = FILE_CHANGES;

describe('28: the disk refuses', () => {
  const CASES: readonly (readonly [code: string, expected: string, words: string])[] = [
    ['ENOSPC', 'DISK_FULL', 'the disk is full'],
    ['EDQUOT', 'DISK_FULL', 'quota'],
    ['EIO', 'DISK_FAILURE', 'reports an error'],
    ['EACCES', 'NO_ACCESS', 'permission denied'],
    ['EPERM', 'NO_ACCESS', 'not permitted'],
    ['EROFS', 'READ_ONLY', 'read-only'],
    ['ENAMETOOLONG', 'NAME_TOO_LONG', 'shorter name'],
    ['EBUSY', 'FILE_BUSY', 'another program'],
    ['EMFILE', 'TOO_MANY_FILES', 'too many files'],
  ];

  it.each(CASES)('%s is said as %s, with the path and what to do', async (code, expected, words) => {
    const vault = arranged(replaced);
    const disk = tappedDisk(({ call }) => {
      if (call === 'write') throw systemError(code);
    });
    const failed = await createNodeFiles(vault.root, { disk })
      .write(NOTE, Buffer.from('x'), sha256Hex(BASE))
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(EmployeeError);
    expect(failed).toMatchObject({ code: expected, cause: { code } });
    expect((failed as Error).message).toContain(NOTE);
    expect((failed as Error).message).toContain(words);
    expect(await vault.texts()).toEqual(replaced?.before);
  });

  const REFUSED: readonly (keyof Disk)[] = [
    'open',
    'write',
    'sync',
    'read',
    'chmod',
    'mkdir',
    'rename',
    'link',
    'unlink',
    'rmdir',
    'lstat',
    'fstat',
  ];

  describe.each(FILE_CHANGES)('at any one call while $name is made', (test) => {
    it.each(['ENOSPC', 'EIO', 'EACCES'])(
      '%s: the vault is as it was before or after, and nothing of ours stays',
      async (code) => {
        for (let n = 1, refusals = 1; refusals > 0; n++) {
          refusals = 0;
          const vault = arranged(test);
          const disk = tappedDisk((moment) => {
            if (moment.n !== n || moment.when === 'after' || !REFUSED.includes(moment.call)) {
              refusals += moment.n === n ? 1 : 0;
              return;
            }
            refusals += 1;
            throw systemError(code);
          });
          const files = createNodeFiles(vault.root, { disk });
          const answer = await test.change(files).catch((error: unknown) => error);
          if (answer instanceof Error) expect(answer, `call ${n}`).toBeInstanceOf(EmployeeError);
          // The same process goes on, and so do others.
          const texts = await vault.texts();
          expect([test.before, test.after], `call ${n}`).toContainEqual(texts);
          expect(vault.leftovers(), `call ${n}`).toEqual([]);
          const again = await test.change(createNodeFiles(vault.root));
          expect([test.done, 'changed'], `call ${n}`).toContain(again);
          expect(await vault.texts(), `call ${n}`).toEqual(test.after);
          vault.dispose();
        }
      },
    );
  });

  it('a file that cannot be made durable is not put in place', async () => {
    const vault = arranged(replaced);
    const disk = tappedDisk(({ call, when }) => {
      if (call === 'sync' && when === 'before') throw systemError('EIO');
    });
    const files = createNodeFiles(vault.root, { disk });
    await expect(files.write(NOTE, Buffer.from(INCOMING), sha256Hex(BASE))).rejects.toMatchObject({
      code: 'DISK_FAILURE',
    });
    expect(await vault.texts()).toEqual(replaced?.before);
    expect(vault.leftovers()).toEqual([]);
  });

  it('what was only seen by the cache is not what replaces the last durable version', async () => {
    const vault = arranged(replaced);
    let syncs = 0;
    const disk = tappedDisk(({ call, when }) => {
      if (call === 'sync' && when === 'before' && ++syncs === 2) throw systemError('EIO');
    });
    const files = createNodeFiles(vault.root, { disk });
    await expect(files.write(NOTE, Buffer.from(INCOMING), sha256Hex(BASE))).rejects.toMatchObject({
      code: 'DISK_FAILURE',
    });
    // The old file is still about, for the case that the name is not.
    expect(vault.leftovers().filter((each) => each.endsWith('note.md'))).toHaveLength(1);
    expect(await vault.texts()).toEqual(replaced?.after);
    expect(vault.leftovers()).toEqual([]);
  });
});

describe('28: a disk that is really full', () => {
  it.skipIf(!mountable())(
    'names the file, leaves it as it was, and takes it once there is room',
    async () => {
      const root = mountSmall();
      const vault = arranged(replaced, root);
      writeFileSync(path.join(root, 'filler.bin'), Buffer.alloc(900_000));
      const files = createNodeFiles(root);
      const big = Buffer.alloc(400_000, 'x');
      await expect(files.write(NOTE, big, sha256Hex(BASE))).rejects.toMatchObject({ code: 'DISK_FULL' });
      await expect(files.write('Journal/new.md', big, null)).rejects.toThrow(
        /Journal\/new\.md .*the disk is full; make room/,
      );
      expect((await vault.texts()).get(NOTE)).toBe(BASE);
      expect(vault.leftovers()).toEqual([]);
      rmSync(path.join(root, 'filler.bin'));
      expect(await files.write(NOTE, big, sha256Hex(BASE))).toBe('written');
    },
  );

  it.skipIf(!mountable())('does not stop what needs no room: a file is moved and removed', async () => {
    const root = mountSmall();
    const vault = arranged(replaced, root);
    for (let n = 0, room = true; room; n++) {
      try {
        writeFileSync(path.join(root, `filler-${n}.bin`), Buffer.alloc(100_000));
      } catch {
        room = false;
      }
    }
    const files = createNodeFiles(root);
    expect(await files.move(NOTE, 'Done/note.md', sha256Hex(BASE))).toBe('moved');
    expect(await files.remove('Done/note.md', sha256Hex(BASE))).toBe('removed');
    expect(vault.leftovers()).toEqual([]);
  });
});

describe('26: rights', () => {
  it('a file that is marked read-only is replaced and stays read-only; a script stays one', async () => {
    const vault = arranged(replaced);
    for (const mode of [0o444, 0o755, 0o600]) {
      chmodSync(vault.at(NOTE), mode);
      const [from, to] = mode === 0o755 ? [INCOMING, BASE] : [BASE, INCOMING];
      expect(await createNodeFiles(vault.root).write(NOTE, Buffer.from(to), sha256Hex(from))).toBe('written');
      expect(statSync(vault.at(NOTE)).mode & 0o777).toBe(mode);
    }
  });

  it('a new file can be read by others as far as the umask lets them', async () => {
    const vault = arranged(undefined);
    await createNodeFiles(vault.root).write(NOTE, Buffer.from('x'), null);
    expect(statSync(vault.at(NOTE)).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('a folder without rights is named, and what is in it is not gone', async () => {
    const vault = arranged(undefined);
    vault.put('Locked/a.md', 'x');
    vault.put('Open/b.md', 'y');
    const files = createNodeFiles(vault.root);
    await asNobody(
      vault,
      async () => {
        chmodSync(vault.at('Locked'), 0o000);
      },
      async () => {
        const list = await files.list();
        expect(list.map(({ path: each }) => each).sort()).toEqual(['Locked', 'Open', 'Open/b.md']);
        expect(list.find(({ path: each }) => each === 'Locked')).toMatchObject({
          kind: 'folder',
          problem: 'it cannot be read (permission denied)',
        });
        await expect(files.write('Locked/c.md', Buffer.from('z'), null)).rejects.toMatchObject({
          code: 'NO_ACCESS',
        });
      },
    );
    chmodSync(vault.at('Locked'), 0o700);
  });

  it('a file without rights is named, and a folder that is read-only takes no file and loses none', async () => {
    const vault = arranged(replaced);
    const files = createNodeFiles(vault.root);
    vault.put('Journal/secret.md', 'x');
    await asNobody(
      vault,
      async () => {
        chmodSync(vault.at('Journal/secret.md'), 0o000);
        chmodSync(vault.at('Journal'), 0o555);
      },
      async () => {
        await expect(files.read('Journal/secret.md')).rejects.toMatchObject({
          code: 'NO_ACCESS',
          words: 'permission denied',
        });
        const no = { code: 'NO_ACCESS' };
        await expect(files.write(NOTE, Buffer.from('z'), sha256Hex(BASE))).rejects.toMatchObject(no);
        await expect(files.move(NOTE, 'Done/note.md', sha256Hex(BASE))).rejects.toMatchObject(no);
        await expect(files.remove(NOTE, sha256Hex(BASE))).rejects.toMatchObject(no);
        expect(Buffer.from((await files.read(NOTE)) ?? []).toString()).toBe(BASE);
      },
    );
    chmodSync(vault.at('Journal'), 0o755);
    expect(vault.leftovers()).toEqual([]);
  });
});

/** Root may do everything: then another user asks. */
async function asNobody(
  vault: VaultFolder,
  arrange: () => Promise<void>,
  work: () => Promise<void>,
): Promise<void> {
  const nobody = 65_534;
  if (isRoot) execFileSync('chown', ['-R', `${nobody}`, vault.root]);
  await arrange();
  if (isRoot) process.seteuid?.(nobody);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

/** A disk of one megabyte. */
function mountSmall(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'employee-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder]);
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  ends.push(() => execFileSync('umount', ['-l', folder]));
  const vault = path.join(folder, 'vault');
  mkdirSync(vault);
  return vault;
}

function mountable(): boolean {
  if (!isRoot || process.platform !== 'linux' || !existsSync('/proc/self/fd')) return false;
  const folder = mkdtempSync(path.join(tmpdir(), 'employee-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' });
    execFileSync('umount', ['-l', folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
