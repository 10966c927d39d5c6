import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { EmployeeError } from '#protocol/errors.ts';
import { EmployeeConfig, StackOutputs } from './config.ts';

const Text = z.string().min(1);
const Key = z.strictObject({ accessKeyId: Text, secretAccessKey: Text });
const AddressList = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(','))])
  .transform((list) => list.map((address) => address.trim()).filter((address) => address !== ''));

/** Of a stack's outputs, by the names that it gives them, those that an agent works with. */
export const StackOutputsByName = z
  .looseObject({
    TasksTable: Text,
    LedgerTable: Text,
    VaultBucket: Text,
    ArchiveBucket: Text.optional(),
    VaultSecretArn: Text,
    FromAddress: Text,
    OwnAddresses: AddressList,
  })
  .transform((outputs) =>
    StackOutputs.parse({
      tasksTable: outputs.TasksTable,
      ledgerTable: outputs.LedgerTable,
      vaultBucket: outputs.VaultBucket,
      ...(outputs.ArchiveBucket === undefined ? {} : { archiveBucket: outputs.ArchiveBucket }),
      vaultSecretArn: outputs.VaultSecretArn,
      fromAddress: outputs.FromAddress,
      ownAddresses: outputs.OwnAddresses,
    }),
  );

/** A stack, and how its owner and an agent reach it. */
export interface StackAccess {
  readonly region: string;
  readonly stack: StackOutputs;
  /** Only of a local cloud. @default AWS's own */
  readonly endpoints?: StackFile['endpoints'];
  /** Only of a local cloud. @default those of the profiles */
  readonly credentials?: StackFile['credentials'];
  /** Profiles of the shared AWS config. @default the SDK's own chain */
  readonly profiles?: { readonly owner?: string | undefined; readonly agent?: string | undefined };
}

/**
 * What `employee init` needs to know of a stack: where its services are, the outputs by the names that the
 * stack gives them, and two keys: the owner's, who may write the zone's secret, and the agent's.
 */
export const StackFile = z
  .strictObject({
    region: Text,
    endpoints: EmployeeConfig.shape.endpoints.unwrap(),
    outputs: StackOutputsByName,
    credentials: z.strictObject({ agent: Key, owner: Key }),
  })
  .transform(({ outputs, ...access }) => ({ ...access, stack: outputs }));
export type StackFile = z.infer<typeof StackFile>;

/** The stack file is missing or is not what the local cloud writes. */
export class StackFileError extends EmployeeError {
  static override readonly code = 'STACK_FILE';
}

/**
 * Reads a stack file.
 *
 * @throws {StackFileError} naming the member that is wrong.
 */
export async function readStackFile(file: string): Promise<StackFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new StackFileError(
      `the stack file ${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new StackFileError(`the stack file ${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = StackFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new StackFileError(
    `the stack file ${file}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'invalid'}`,
  );
}
