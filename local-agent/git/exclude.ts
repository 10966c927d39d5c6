import { appendFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { TASK_FOLDERS } from '#protocol/vault-path.ts';

const MARK = '# AI Employee';

/** Files that are only there for a moment while something is written. */
const TEMPORARY = ['.~employee-*'];

/** The names that are withheld from sync, as far as Git's patterns can say them; a commit of ours checks the rules themselves. */
const SECRET = [
  '*credential*',
  '*token*',
  '*session*',
  '.env*',
  '*.env',
  'secret',
  'secrets',
  ...['rsa', 'dsa', 'ecdsa', 'ed25519'].map((kind) => `id_${kind}`),
  ...[
    'pem',
    'key',
    'ppk',
    'p8',
    'p12',
    'pfx',
    'jks',
    'jceks',
    'keystore',
    'kdb',
    'kdbx',
    'age',
    'asc',
    'gpg',
  ].map((end) => `*.${end}`),
  ...[
    'netrc',
    'npmrc',
    'pypirc',
    'pgpass',
    'htpasswd',
    'dockercfg',
    's3cfg',
    'boto',
    'ssh',
    'aws',
    'gnupg',
  ].map((name) => `.${name}`),
];

/**
 * Adds to the repository's own list of ignored files (`.git/info/exclude`, which is not shared): our
 * temp files, and in a repository that was made for the vault the names of secrets, so that the owner's own
 * `git add` leaves them out as well. A `.gitignore` is never touched. Once.
 */
export async function excludeOwn(excludeFile: string, made: boolean): Promise<void> {
  const before = await readFile(excludeFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (before.includes(MARK)) return;
  await mkdir(path.dirname(excludeFile), { recursive: true });
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  await appendFile(excludeFile, `${gap}${excludeLines(made).join('\n')}\n`);
}

/** What {@link excludeOwn} adds. */
export function excludeLines(made: boolean): string[] {
  if (!made) return [`${MARK}: temp files`, ...TEMPORARY];
  return [
    `${MARK}: temp files, and names that secrets have (those are never synced either)`,
    ...TEMPORARY,
    ...SECRET.map(anyCase),
    '# A note is named after its mail, whatever that is about.',
    ...TASK_FOLDERS.map((folder) => `!/${folder}/**/*.md`),
  ];
}

/** @example anyCase('*.pem') // '*.[pP][eE][mM]' */
function anyCase(pattern: string): string {
  return pattern.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}
