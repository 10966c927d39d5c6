import { createS3Archive } from '#adapters/s3-archive.ts';
import { createS3Client } from '#adapters/s3-client.ts';
import { parseEnv } from '#lambdas/runtime/parse-env.ts';
import { ArchiveEnv } from './env.ts';
import { createArchiveHandler } from './handler.ts';
import type { StreamHandler } from './handler.ts';

const env = parseEnv(ArchiveEnv, process.env);

/** Lambda calls this with each batch of the stream of the ledger's table. */
export const handler: StreamHandler = createArchiveHandler(env, {
  archive: createS3Archive(createS3Client(), env.ARCHIVE_BUCKET),
});
