import { VaultPath } from '#protocol/vault-path.ts';
import { withheldPath } from '#protocol/withheld.ts';

/**
 * The name under which a version of a file is kept beside another one. It follows from file, machine and
 * bytes, so that the same version is kept once.
 *
 * @param isFree whether a name is free, or holds these very bytes.
 * @example conflictName('Notes/plan.md', 'laptop', 'a1b2c3d4…', isFree) // 'Conflicts/plan (laptop a1b2c3d4).md'
 */
export function conflictName(
  path: string,
  agent: string,
  sha256: string,
  isFree: (name: string) => boolean,
): string | undefined {
  const { stem, ending } = partsOf(path);
  return firstFree(sha256, isFree, (digits) => {
    const name = `Conflicts/${stem} (${agent} ${digits})${ending}`;
    const names = [name, `Conflicts/${stem} (${digits})${ending}`, `Conflicts/kept (${digits})${ending}`];
    // A name that would be held back as one of a secret would never arrive.
    return names.find((possible) => withheldPath(possible) === undefined) ?? name;
  });
}

/** The name of a file that makes way for a folder, beside it. */
export function asideName(
  path: string,
  sha256: string,
  isFree: (name: string) => boolean,
): string | undefined {
  const { folder, stem, ending } = partsOf(path);
  return firstFree(sha256, isFree, (digits) => `${folder}${stem} (file ${digits})${ending}`);
}

function firstFree(
  sha256: string,
  isFree: (name: string) => boolean,
  nameOf: (digits: string) => string,
): string | undefined {
  for (let digits = 8; digits <= 64; digits += 8) {
    const name = nameOf(sha256.slice(0, digits));
    if (VaultPath.safeParse(name).success && isFree(name)) return name;
  }
  return undefined;
}

function partsOf(path: string): { readonly folder: string; readonly stem: string; readonly ending: string } {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash);
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 && name.length - dot <= 20 ? name.slice(dot) : '';
  const stem = ending === '' ? name : name.slice(0, dot);
  return { folder: path.slice(0, slash), stem: shortened(stem), ending };
}

/** As much of a name as leaves room for machine and hash within what a file name may have. */
export function shortened(stem: string): string {
  let short = '';
  for (const character of stem) {
    if (Buffer.byteLength(short + character) > 100) break;
    short += character;
  }
  return short.trim();
}
