import { sha256Hex } from '#protocol/canonical.ts';
import { EmployeeError } from '#protocol/errors.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import { conflictName } from './copy-name.ts';
import { keepConflict } from './keep-conflict.ts';

/** Bytes could not be kept, so nothing takes their place. */
export class NotKeptError extends EmployeeError {
  static override readonly code = 'NOT_KEPT';
}

/**
 * Keeps bytes that are about to be replaced as a file in `Conflicts/`: in the ledger, from where it comes
 * to every machine's vault; what must not leave this machine, on this machine alone. The same bytes are
 * kept once.
 *
 * @param theirs the hash of what takes their place.
 * @returns the path of the copy.
 * @throws {NotKeptError}
 */
export async function keepBoth(
  agent: Agent,
  path: string,
  bytes: Uint8Array,
  theirs?: string,
): Promise<string> {
  const sha256 = sha256Hex(bytes);
  const version = { path, bytes, sha256, ...(theirs === undefined ? {} : { theirs }) };
  const copy =
    withheldContent(bytes) === undefined
      ? (await keepConflict(agent, version))?.copy
      : await keepHere(agent, path, bytes, sha256);
  if (copy === undefined) throw new NotKeptError(`${path} could not be kept under Conflicts/; it stays`);
  agent.log(`kept your version of ${path} as ${copy}`);
  return copy;
}

async function keepHere(
  agent: Agent,
  path: string,
  bytes: Uint8Array,
  sha256: string,
): Promise<string | undefined> {
  const taken = new Set<string>();
  for (;;) {
    const copy = conflictName(path, agent.config.agent, sha256, (name) => !taken.has(name));
    if (copy === undefined) return undefined;
    const there = await agent.files.read(copy);
    if (there && sha256Hex(there) === sha256) return copy;
    if (!there && (await agent.files.write(copy, bytes, null)) === 'written') return copy;
    taken.add(copy);
  }
}
