import type { TaskChange } from './ledger-body.ts';

/**
 * What one entry carries at most, as plain JSON. Sealed and in base64 this stays below 300 KB, and an item
 * of DynamoDB may have 400 KB.
 */
const MAX_BATCH_BYTES = 200 * 1024;
/** The limit of a `task` body. */
const MAX_BATCH_CHANGES = 200;

/**
 * Parts changes into as few entries as will hold them, in order. Each element is what belongs together (the
 * changes of one task) and is never parted.
 */
export function changeBatches(groups: readonly (readonly TaskChange[])[]): TaskChange[][] {
  const batches: TaskChange[][] = [];
  let sizeBytes = 0;
  for (const group of groups) {
    const groupBytes = Buffer.byteLength(JSON.stringify(group));
    const current = batches.at(-1);
    const fits =
      current &&
      sizeBytes + groupBytes <= MAX_BATCH_BYTES &&
      current.length + group.length <= MAX_BATCH_CHANGES;
    if (fits) current.push(...group);
    else batches.push([...group]);
    sizeBytes = fits ? sizeBytes + groupBytes : groupBytes;
  }
  return batches;
}
