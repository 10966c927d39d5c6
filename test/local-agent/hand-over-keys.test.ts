import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EmployeeConfig } from '#local-agent/config.ts';
import { exportKeys, importKeys } from '#local-agent/hand-over-keys.ts';
import { createKeyStore } from '#local-agent/key-store.ts';
import { createKeys, keysFileOf } from '#local-agent/keys.ts';
import type { AgentKeys } from '#local-agent/keys.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';

const CONFIG = { vaultId: 'v-1' } as EmployeeConfig;
const FROM = { n: 7, hash: 'a'.repeat(64) };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'employee-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A machine that has the first keys of a vault, or those that it is given. */
async function machine(name: string, given?: AgentKeys): Promise<string> {
  const configFile = path.join(folder, name, 'employee.json');
  await createKeys(keysFileOf(configFile));
  if (given) createKeyStore(keysFileOf(configFile)).write(given);
  return configFile;
}

function keysAt(configFile: string): AgentKeys {
  return createKeyStore(keysFileOf(configFile)).read();
}

/** Two machines of one vault, of which the first has rotated after a compromise. */
async function rotated(): Promise<{
  readonly laptop: string;
  readonly desktop: string;
  readonly file: string;
}> {
  const laptop = await machine('laptop');
  const keys = keysAt(laptop);
  const desktop = await machine('desktop', { ...keys, signing: newSigningKey() });
  const next = { keyEpoch: 2, shared: newVaultKey(), private: newVaultKey(), from: FROM };
  createKeyStore(keysFileOf(laptop)).write({
    ...keys,
    approval: newSigningKey(),
    keyring: [...keys.keyring, next],
  });
  return { laptop, desktop, file: path.join(folder, 'handed-over.json') };
}

describe('keys that are handed over', () => {
  it("are the vault keys and the approver's; each machine keeps the key that it signs with", async () => {
    const { laptop, desktop, file } = await rotated();
    const own = keysAt(desktop).signing;
    expect(await exportKeys(laptop, CONFIG, file)).toEqual([1, 2]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(keysAt(laptop).signing.privateKey);
    expect(await importKeys(desktop, CONFIG, file)).toEqual([2]);
    expect(keysAt(desktop)).toEqual({ ...keysAt(laptop), signing: own });
    expect(statSync(keysFileOf(desktop)).mode & 0o777).toBe(0o600);
    expect(await importKeys(desktop, CONFIG, file)).toEqual([]);
  });

  it('put nothing back that is newer here, when a file of an earlier rotation comes late', async () => {
    const { laptop, desktop, file } = await rotated();
    await exportKeys(laptop, CONFIG, file);
    const keys = keysAt(laptop);
    const next = { keyEpoch: 3, shared: newVaultKey(), private: newVaultKey(), from: { ...FROM, n: 9 } };
    const newer = { ...keys, approval: newSigningKey(), keyring: [...keys.keyring, next] };
    createKeyStore(keysFileOf(laptop)).write(newer);
    await exportKeys(laptop, CONFIG, `${file}-2`);
    expect(await importKeys(desktop, CONFIG, `${file}-2`)).toEqual([2, 3]);
    expect(await importKeys(desktop, CONFIG, file)).toEqual([]);
    expect(keysAt(desktop)).toEqual({ ...newer, signing: keysAt(desktop).signing });
  });

  it('leave what this machine had in a file beside', async () => {
    const { laptop, desktop, file } = await rotated();
    const before = readFileSync(keysFileOf(desktop), 'utf8');
    await exportKeys(laptop, CONFIG, file);
    await importKeys(desktop, CONFIG, file);
    const copy = `${keysFileOf(desktop)}.epoch-1`;
    expect(readFileSync(copy, 'utf8')).toBe(before);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
  });

  it.each(['another vault id', 'other keys of the same epoch'])('are refused with %s', async (what) => {
    const { laptop, file } = await rotated();
    await exportKeys(laptop, CONFIG, file);
    const stranger = await machine('stranger');
    const [configFile, config] =
      what === 'another vault id' ? [laptop, { ...CONFIG, vaultId: 'v-2' }] : [stranger, CONFIG];
    const before = keysAt(configFile);
    await expect(importKeys(configFile, config, file)).rejects.toThrow('of another vault');
    expect(keysAt(configFile)).toEqual(before);
  });

  it('are refused when others can read the file, and when it is none', async () => {
    const { laptop, desktop, file } = await rotated();
    await exportKeys(laptop, CONFIG, file);
    chmodSync(file, 0o644);
    await expect(importKeys(desktop, CONFIG, file)).rejects.toThrow('chmod 600');
    for (const text of ['not json', '{}']) {
      writeFileSync(file, text);
      chmodSync(file, 0o600);
      await expect(importKeys(desktop, CONFIG, file)).rejects.toThrow('is no file that');
    }
  });

  it('go into no file that exists, and wait for a rotation that is not in force', async () => {
    const { laptop, file } = await rotated();
    await exportKeys(laptop, CONFIG, file);
    await expect(exportKeys(laptop, CONFIG, file)).rejects.toThrow('name a new file');
    const keys = keysAt(laptop);
    const next = { keyEpoch: 3, shared: newVaultKey(), private: newVaultKey() };
    const rotation = { keyEpoch: 3 };
    createKeyStore(keysFileOf(laptop)).write({ ...keys, rotation, keyring: [...keys.keyring, next] });
    await expect(exportKeys(laptop, CONFIG, path.join(folder, 'new'))).rejects.toThrow(
      'employee keys rotate',
    );
  });
});
