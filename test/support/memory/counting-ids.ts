import type { Ids } from '#protocol/ports.ts';

/** Makes ids `id-1`, `id-2`, … in order. @param prefix @default 'id' */
export function createCountingIds(prefix = 'id'): Ids {
  let count = 0;
  return { next: () => `${prefix}-${++count}` };
}
