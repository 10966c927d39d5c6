import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, type TestContext } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** Files that are committed or would be by `git add .`. */
async function repositoryFiles(context: TestContext): Promise<string[]> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  try {
    const { stdout } = await promisify(execFile)('git', args, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
    return stdout.split('\0').filter((file) => file !== '');
  } catch {
    return context.skip('this folder is no Git work tree, or git is not installed');
  }
}

async function readText(file: string): Promise<string> {
  // A file that another command is just replacing or removing has nothing to be found in it.
  const bytes = await readFile(path.join(root, file)).catch(() => Buffer.alloc(0));
  return bytes.includes(0) ? '' : bytes.toString('utf8');
}

/** Written with one-character classes, so that no pattern finds itself here. */
const LEAKS: [name: string, pattern: RegExp][] = [
  ['a home folder', /(?<![\w.~-])[/](?:home|Users)[/](?!you\b|me\b)\w+/],
  ['the home folder of root', /(?<![\w.])[/]root[/]/],
  ['a Windows profile', /\b[A-Z]:[\\]+Users[\\]/i],
  [
    'the address of a package registry',
    /https?:[/]{2}[\w.-]*(?:registry|npmjs|artifactory|nexus|verdaccio|pypi)[\w.-]*/i,
  ],
  ['a setting of a package registry', /^(?:@[\w-]+:)?registry\s*=/m],
  ['the folder of this checkout', new RegExp(`${RegExp.escape(root)}(?=[/\\s'"\`]|$)`, 'm')],
];

function leaksIn(text: string): string[] {
  return LEAKS.filter(([, pattern]) => pattern.test(text)).map(([name]) => name);
}

describe('the repository', () => {
  it('says nothing of the machines it was written on', async (context) => {
    const files = (await repositoryFiles(context)).filter((file) => !file.startsWith('examples/'));
    const found = await Promise.all(files.map(async (file) => [file, ...leaksIn(await readText(file))]));
    expect(found.filter(([, ...leaks]) => leaks.length > 0)).toEqual([]);
  });

  it.each([
    ['a path: /ho' + 'me/ann/project', 'a home folder'],
    ['cd /Us' + 'ers/ann', 'a home folder'],
    ["open('/ro" + "ot/.cache/x')", 'the home folder of root'],
    ['C:\\Us' + 'ers\\ann', 'a Windows profile'],
    ['"resolved": "https://regi' + 'stry.npmjs.org/zod/-/zod.tgz"', 'the address of a package registry'],
    ['regi' + 'stry=http://127.0.0.1:4873/', 'a setting of a package registry'],
    [`in ${root}/protocol`, 'the folder of this checkout'],
  ])('would be seen to say %j', (text, name) => {
    expect(leaksIn(text)).toContain(name);
  });

  it.each(['see https://example.com/home/page', '#root/x', 'homes/are/fine', '/home/you/vault'])(
    'may say %j',
    (text) => {
      expect(leaksIn(text)).toEqual([]);
    },
  );

  it('keeps its source at most two folders deep', async (context) => {
    const source =
      /^(protocol|adapters|lambdas|infra|local-agent|local-cloud|bench|docs|scripts|bin|eslint)\//;
    const files = await repositoryFiles(context);
    expect(files.filter((file) => source.test(file) && file.split('/').length > 3)).toEqual([]);
  });

  it('carries no file that it ignores', async (context) => {
    await repositoryFiles(context);
    const { stdout } = await promisify(execFile)('git', ['ls-files', '-ci', '--exclude-standard'], {
      cwd: root,
    });
    expect(stdout).toBe('');
  });
});

describe('the dependencies', () => {
  it('are pinned to one version each', async () => {
    const manifest = JSON.parse(await readText('package.json')) as Record<string, Record<string, string>>;
    const all = {
      ...manifest['dependencies'],
      ...manifest['devDependencies'],
      ...manifest['optionalDependencies'],
    };
    expect(Object.keys(all).length).toBeGreaterThan(10);
    expect(Object.entries(all).filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(range))).toEqual([]);
  });

  it('are locked by integrity hash, never by the place they were fetched from', async () => {
    const lock = JSON.parse(await readText('package-lock.json')) as {
      packages: Record<string, { integrity?: string; resolved?: string; inBundle?: boolean }>;
    };
    const entries = Object.entries(lock.packages).filter(([folder]) => folder !== '');
    expect(entries.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(
      entries.filter(([, { integrity, inBundle }]) => integrity === undefined && inBundle !== true),
    ).toEqual([]);
  });

  it('are the same in package.json and package-lock.json', async () => {
    const manifest = JSON.parse(await readText('package.json')) as Record<string, unknown>;
    const lock = JSON.parse(await readText('package-lock.json')) as {
      packages: Record<string, Record<string, unknown>>;
    };
    for (const field of ['dependencies', 'devDependencies'])
      expect(lock.packages['']?.[field]).toEqual(manifest[field]);
  });

  it('that run install scripts are the reviewed ones', async () => {
    const manifest = JSON.parse(await readText('package.json')) as { allowScripts: Record<string, boolean> };
    const lock = JSON.parse(await readText('package-lock.json')) as {
      packages: Record<string, { hasInstallScript?: boolean; optional?: boolean }>;
    };
    const withScripts = Object.entries(lock.packages)
      .filter(([, { hasInstallScript, optional }]) => hasInstallScript === true && optional !== true)
      .map(([folder]) => folder.replace(/^.*node_modules\//, ''));
    expect(Object.keys(manifest.allowScripts).sort()).toEqual(withScripts.sort());
  });
});
