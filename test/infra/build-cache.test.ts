import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprint, replaceFolder, withBuildLock } from '#infra/build-cache.ts';
import { outputPaths, repositoryDir } from '#infra/paths.ts';

let parent: string;
let folder: string;

beforeEach(async () => {
  // On the disk of what it replaces: a folder is replaced by renames.
  await mkdir(outputPaths.cacheDir, { recursive: true });
  parent = await mkdtemp(join(outputPaths.cacheDir, 'test-'));
  folder = join(parent, 'replaced');
  await mkdir(join(folder, 'sub'), { recursive: true });
  await writeFile(join(folder, 'sub/a.ts'), 'one');
  await writeFile(join(folder, 'b.ts'), 'two');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('a fingerprint', () => {
  it('stays as it is when files are only touched', async () => {
    const before = await fingerprint([folder]);
    await utimes(join(folder, 'b.ts'), new Date(0), new Date(0));
    expect(await fingerprint([folder])).toBe(before);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a content', () => writeFile(join(folder, 'sub/a.ts'), 'onf')],
    ['a name', () => writeFile(join(folder, 'sub/c.ts'), 'one').then(() => rm(join(folder, 'sub/a.ts')))],
    ['a new file', () => writeFile(join(folder, 'sub/c.ts'), '')],
    ['a removed file', () => rm(join(folder, 'b.ts'))],
    [
      'where one content ends and the next begins',
      () => writeFile(join(folder, 'b.ts'), 'tw').then(() => writeFile(join(folder, 'sub/a.ts'), 'oone')),
    ],
  ])('changes with %s', async (_, change) => {
    const before = await fingerprint([folder]);
    await change();
    expect(await fingerprint([folder])).not.toBe(before);
  });

  it('changes with what else it is told, and takes what is not there for absent', async () => {
    const prints = await Promise.all([
      fingerprint([folder, join(folder, 'gone')]),
      fingerprint([folder]),
      fingerprint([folder], 'more'),
    ]);
    expect(prints[0]).toBe(prints[1]);
    expect(prints[2]).not.toBe(prints[1]);
  });
});

describe('the build lock', () => {
  it('lets one at a time work', async () => {
    let working = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withBuildLock(async () => {
          most = Math.max(most, ++working);
          await readdir(folder);
          working--;
        }),
      ),
    );
    expect(most).toBe(1);
  });

  it('is free again after work that failed', async () => {
    await expect(withBuildLock(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await withBuildLock(() => Promise.resolve('free'))).toBe('free');
  });

  it('is free again after its holder was killed, and not before', async () => {
    const code = `import { withBuildLock } from './infra/build-cache.ts';
      await withBuildLock(() => new Promise(() => { console.log('held'); setInterval(() => {}, 1000); }));`;
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: repositoryDir,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    let entered = false;
    const waiting = withBuildLock(() => Promise.resolve((entered = true)));
    const gone = once(holder, 'exit');
    expect(entered).toBe(false);
    holder.kill('SIGKILL');
    await gone;
    expect(await waiting).toBe(true);
  }, 60_000);
});

describe('a replaced folder', () => {
  it('has what was written and nothing of before', async () => {
    await replaceFolder(folder, (fresh) => writeFile(join(fresh, 'new'), '1'));
    expect(await readdir(folder)).toEqual(['new']);
  });

  it('is as it was when writing fails, and no scratch is left', async () => {
    const failing = replaceFolder(folder, async (fresh) => {
      await writeFile(join(fresh, 'half'), '1');
      throw new Error('disk full');
    });
    await expect(failing).rejects.toThrow('disk full');
    expect(await readFile(join(folder, 'b.ts'), 'utf8')).toBe('two');
    const name = folder.split('/').pop() ?? '';
    expect((await readdir(outputPaths.cacheDir)).filter((entry) => entry.startsWith(name))).toEqual([]);
  });

  it('may be one that did not exist', async () => {
    await replaceFolder(join(folder, 'deep/new'), (fresh) => writeFile(join(fresh, 'x'), ''));
    await access(join(folder, 'deep/new/x'));
  });
});
