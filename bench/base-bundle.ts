import { build } from 'esbuild';
import { bundleOptions } from '#infra/build.ts';
import { repositoryDir } from '#infra/paths.ts';

/**
 * The three clients that no function of this kind can do without, with the commands it uses, and nothing around them.
 * They are made at once, as a function makes them when it is loaded.
 */
const SOURCE = `
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
export const clients = [new DynamoDBClient(), new S3Client(), new SQSClient()];
export const commands = [GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand, GetObjectCommand,
  PutObjectCommand, SendMessageBatchCommand];
`;

/** Bundles the bare clients with the options of the functions' bundles, and nothing left out. @returns its size */
export async function buildBaseBundle(outfile: string): Promise<{ readonly sizeBytes: number }> {
  const { outExtension: _extension, ...options } = bundleOptions;
  const result = await build({
    ...options,
    stdin: { contents: SOURCE, resolveDir: repositoryDir, loader: 'js' },
    outfile,
    metafile: true,
  });
  const sizeBytes = Object.values(result.metafile.outputs).reduce((sum, { bytes }) => sum + bytes, 0);
  return { sizeBytes };
}
