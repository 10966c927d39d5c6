import { createClients } from '#adapters/aws-clients.ts';
import { createSecretSource, writeSecret } from '#adapters/secrets-manager-secret.ts';
import type { EmployeeConfig } from './config.ts';
import { UsageError } from './exit-codes.ts';
import type { StackFile } from './init-stack-file.ts';
import type { OwnedSecret } from './rotate-keys.ts';

/** As whom the cloud zone's secret is reached: the agent's own role may not read it. */
export interface Owner {
  /** Of a local cloud. */
  readonly stackFile?: StackFile | undefined;
  /** Of AWS. @default the SDK's own chain */
  readonly profile?: string | undefined;
}

/**
 * Opens the cloud zone's secret with the owner's credentials for one piece of work.
 *
 * @throws {UsageError} when it is not said who the owner is.
 */
export async function withOwnedSecret<T>(
  { region, endpoints, stack, credentials }: EmployeeConfig,
  { stackFile, profile }: Owner,
  work: (secret: OwnedSecret) => Promise<T>,
): Promise<T> {
  if (credentials && !stackFile) {
    throw new UsageError(
      'this vault is of a local cloud, whose file has the key of its owner: name it with --stack-file .local-cloud/stack.json',
    );
  }
  if (stackFile && stackFile.stack.vaultSecretArn !== stack.vaultSecretArn) {
    throw new UsageError('the stack file is of another stack than the config of this vault');
  }
  const clients = createClients(
    stackFile
      ? { region, endpoints: stackFile.endpoints, credentials: stackFile.credentials.owner }
      : { region, endpoints, profile },
  );
  try {
    return await work({
      ...createSecretSource(clients.secrets, stack.vaultSecretArn),
      write: (text) => writeSecret(clients.secrets, stack.vaultSecretArn, text),
    });
  } finally {
    clients.destroy();
  }
}
