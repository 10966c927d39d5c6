import type { FileView } from '#protocol/vault-state.ts';
import type { AgreedFile } from '../copy-tables.ts';
import type { AgreeStep, PlanInput } from './file-steps.ts';

/** The paths on which vault and ledger differ, by the side that has them. */
export interface Differences {
  readonly disk: readonly string[];
  readonly ledger: readonly string[];
  /** Agreed on once. */
  readonly agreed: readonly string[];
  /** Where another file was agreed on than the one that is there on both sides now. */
  readonly replaced: readonly string[];
  /** Equal on both sides, and not noted so yet. */
  readonly news: readonly AgreeStep[];
}

/** Compares the three sides path by path. Costs one look-up a path where nothing differs. */
export function findDifferences(input: PlanInput): Differences {
  const { agreed, disk, ledger, fileIds, outside } = input;
  const found = {
    disk: [] as string[],
    ledger: [] as string[],
    agreed: [] as string[],
    replaced: [] as string[],
    news: [] as AgreeStep[],
  };
  let equal = 0;
  let known = 0;
  for (const [path, sha256] of disk) {
    const file = ledger.get(path);
    if (file?.content.sha256 !== sha256) {
      if (!outside(path)) found.disk.push(path);
      continue;
    }
    equal += 1;
    const base = agreed.get(path);
    if (base) known += 1;
    const fileId = fileIds?.get(path)?.fileId ?? '';
    const noted = base?.sha256 === sha256 && base.id === file.id;
    if (noted && (fileId === '' || base.fileId === fileId)) continue;
    if (base && base.id !== '' && base.id !== file.id) found.replaced.push(path);
    found.news.push({ do: 'agree', path, agreed: agreedOn(file, fileId) });
  }
  const isEqual = (path: string): boolean => {
    const file = ledger.get(path);
    return file !== undefined && file.content.sha256 === disk.get(path);
  };
  const missing = (paths: Iterable<string>): string[] =>
    [...paths].filter((path) => !isEqual(path) && !outside(path));
  if (known < agreed.size) found.agreed.push(...missing(agreed.keys()));
  if (equal < ledger.size) found.ledger.push(...missing(ledger.keys()));
  return found;
}

/** What is agreed on once a file is on the disk as the ledger has it. */
export function agreedOn(file: FileView, fileId = ''): AgreedFile {
  return { sha256: file.content.sha256, id: file.id, n: file.contentN, ...(fileId === '' ? {} : { fileId }) };
}
