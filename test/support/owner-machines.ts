import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openAgent } from '#local-agent/open-agent.ts';
import { readConfig } from '#local-agent/config.ts';
import { initEmployee } from '#local-agent/init.ts';
import type { StackFile } from '#local-agent/init-stack-file.ts';
import { makeVaultFolders } from '#local-agent/init-vault.ts';
import { keysFileOf, loadKeys } from '#local-agent/keys.ts';
import { newSigningKey } from '#protocol/signing.ts';

/** One of the owner's machines on disk: a config folder of its own, and a vault. */
export interface OwnerMachine {
  readonly name: string;
  readonly configFile: string;
  readonly vault: string;
}

/** A machine in a folder, by convention: `<folder>/<name>/config/employee.json` and `<folder>/<name>/vault`. */
export function machineIn(folder: string, name: string): OwnerMachine {
  const place = path.join(folder, name);
  return {
    name,
    configFile: path.join(place, 'config', 'employee.json'),
    vault: path.join(place, 'vault'),
  };
}

/** The machine that begins the vault, as `employee init` sets it up. */
export async function setUpFirstMachine(stack: StackFile, machine: OwnerMachine): Promise<void> {
  const { name: agent, configFile, vault } = machine;
  await initEmployee({ stack, configFile, vault, agent, adopt: false }, () => undefined);
}

/**
 * One more machine of the same owner: the first one enters its key into the ledger, and it starts with the same
 * vault keys, an empty vault and no copy of the ledger.
 */
export async function addMachine(first: OwnerMachine, added: OwnerMachine): Promise<void> {
  const [config, keys] = [await readConfig(first.configFile), await loadKeys(keysFileOf(first.configFile))];
  const signing = newSigningKey();
  const agent = await openAgent(first.configFile);
  try {
    await agent.session.pull();
    await agent.session.append(({ keys: inForce }) => {
      if (!inForce) throw new Error('the first machine has begun no ledger');
      const { publicKey } = signing;
      const writers = [...inForce.writers, { writer: added.name, zone: 'local' as const, publicKey }];
      return { body: { ...inForce, writers } };
    });
  } finally {
    await agent.close();
  }
  await mkdir(path.dirname(added.configFile), { recursive: true, mode: 0o700 });
  const { vault, name } = added;
  const write = (file: string, value: object): Promise<void> =>
    writeFile(file, JSON.stringify(value), { mode: 0o600 });
  await write(keysFileOf(added.configFile), { ...keys, signing });
  await write(added.configFile, { ...config, agent: name, vault });
  await makeVaultFolders(vault, config.vaultId);
}

/** What `employee init` is told of emulators: where they are, and the names that were made there. */
export function stackOfEmulators(
  options: {
    readonly region: string;
    readonly endpoints: NonNullable<StackFile['endpoints']>;
    readonly credentials: StackFile['credentials']['agent'];
  },
  vaultSecretArn: string,
): StackFile {
  const { region, endpoints, credentials } = options;
  const { dynamodb, s3, sqs, ses, secretsmanager, sts } = endpoints;
  return {
    region,
    endpoints: { dynamodb, s3, sqs, ses, secretsmanager, sts },
    credentials: { agent: credentials, owner: credentials },
    stack: {
      tasksTable: 'tasks',
      ledgerTable: 'ledger',
      vaultBucket: 'vault',
      vaultSecretArn,
      fromAddress: 'assistant@example.com',
      ownAddresses: ['assistant@example.com'],
    },
  };
}
