import { counted } from '../counted.ts';
import type { SyncReport } from './sync.ts';

/** What a sync carried, in words. */
export function syncWords({ pulled, applied, pushed }: SyncReport): string {
  return `${counted(pulled, 'new entry', 'new entries')}, ${counted(applied, 'change')} in the vault, ${pushed} sent`;
}
