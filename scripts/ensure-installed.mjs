import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withInstallLock } from './install-lock.mjs';
import { npmCi } from './npm-ci.mjs';
import { SetupError } from './setup-error.mjs';

const RUNTIME_MAJOR = 24;

/**
 * `runtime`: whether the Node that the lockfile brings works here. It does not where npm may not run install
 * scripts, or where nobody builds Node for the platform.
 *
 * @typedef {{ key: string, runtime: 'carried' | 'none' }} Stamp
 */

/**
 * Makes sure that node_modules is what package-lock.json says, and names the Node to run the project with.
 * Costs one hash of the lockfile when nothing is to be done. Of several processes at once, one installs.
 *
 * @param {string} root the repository
 * @param {(line: string) => void} say told what happens, a line at a time
 * @returns {Promise<string>} path of a Node >= 24
 * @throws {SetupError} when the installation fails or leaves no usable Node
 */
export async function ensureInstalled(root, say) {
  const key = installKey(root);
  let stamp = readStamp(root, key);
  stamp ??= await withInstallLock(root, say, async () => {
    const current = readStamp(root, key);
    if (current !== undefined) return current;
    if (!isInstalledByHand(root)) {
      rmSync(stampFile(root), { force: true });
      await npmCi(root, say);
    }
    return writeStamp(root, key);
  });
  return runtimeOf(root, key, stamp);
}

/**
 * @param {string} root
 * @param {string} key
 * @param {Stamp} stamp
 */
function runtimeOf(root, key, stamp) {
  const carried = carriedNode(root);
  if (stamp.runtime === 'carried' && existsSync(carried)) return carried;
  // It may have been added since the stamp was written, by the command that the message below proposes.
  if (works(carried)) {
    writeStamp(root, key);
    return carried;
  }
  if (Number(process.versions.node.split('.')[0]) >= RUNTIME_MAJOR) return process.execPath;
  throw new SetupError(
    [
      `The project runs on Node ${RUNTIME_MAJOR}, which it installs as a package, but that package's install script did not`,
      `run or does not work on ${process.platform}-${process.arch} (npm's "ignore-scripts" setting is the usual reason). Either`,
      '  npm rebuild node --ignore-scripts=false    to let this one package fetch Node for the project, or',
      `  install Node ${RUNTIME_MAJOR} or newer yourself; it is then used as it is. This is ${process.version}.`,
    ].join('\n'),
  );
}

/** @param {string} root */
function installKey(root) {
  const lockfile = path.join(root, 'package-lock.json');
  if (!existsSync(lockfile))
    throw new SetupError('package-lock.json is missing: get it back with git restore.');
  const digest = createHash('sha256').update(readFileSync(lockfile)).digest('hex');
  return `${digest} ${process.platform}-${process.arch}`;
}

/** @param {string} root */
function stampFile(root) {
  return path.join(root, 'node_modules', '.stamp');
}

/**
 * @param {string} root
 * @param {string} key
 * @returns {Stamp | undefined}
 */
function readStamp(root, key) {
  try {
    const stamp = JSON.parse(readFileSync(stampFile(root), 'utf8'));
    return stamp.key === key ? stamp : undefined;
  } catch {
    // Absent or damaged: either way the installation has to be looked at.
    return undefined;
  }
}

/**
 * @param {string} root
 * @param {string} key
 * @returns {Stamp}
 */
function writeStamp(root, key) {
  const stamp = {
    key,
    runtime: works(carriedNode(root)) ? /** @type {const} */ ('carried') : /** @type {const} */ ('none'),
  };
  mkdirSync(path.dirname(stampFile(root)), { recursive: true });
  writeFileSync(stampFile(root), JSON.stringify(stamp));
  return stamp;
}

/** @param {string} root */
function carriedNode(root) {
  return path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** @param {string} node */
function works(node) {
  if (!existsSync(node)) return false;
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return status === 0 && Number(/^v(\d+)\./.exec(stdout)?.[1]) >= RUNTIME_MAJOR;
}

/**
 * Whether somebody's own `npm ci` or `npm install` did it already: npm keeps a list of what it put in place, and
 * writes it last.
 *
 * @param {string} root
 */
function isInstalledByHand(root) {
  const wanted = packagesIn(path.join(root, 'package-lock.json'));
  const present = packagesIn(path.join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([folder, { version, optional }]) => {
    const found = present[folder];
    if (folder === '' || (optional === true && found === undefined)) return true;
    return found?.version === version && existsSync(path.join(root, folder));
  });
}

/**
 * @param {string} lockfile
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function packagesIn(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
