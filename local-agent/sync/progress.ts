/** How far long work has come. */
export interface SyncProgress {
  readonly stage: 'scan' | 'upload' | 'download' | 'apply';
  readonly done: number;
  readonly total: number;
  /** What it is at. */
  readonly path?: string;
}
