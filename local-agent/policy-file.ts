import { DEFAULT_POLICY, parsePolicy } from '#protocol/policy.ts';
import type { Policy } from '#protocol/policy.ts';
import type { Files } from '#protocol/ports.ts';

/**
 * The owner's policy; the default one where the vault has no `Policy.yaml`.
 *
 * @throws {NoteFormatError} when the file is broken: nothing is approved or run until it is mended.
 */
export async function readPolicy(files: Files): Promise<Policy> {
  const bytes = await files.read('Policy.yaml');
  return bytes ? parsePolicy(Buffer.from(bytes).toString('utf8')) : DEFAULT_POLICY;
}
