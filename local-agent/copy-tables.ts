import { CachedTable } from './cached-table.ts';
import type { CopyDatabase } from './copy-database.ts';

/** A file at the last scan: where all of this is unchanged, its bytes are, and it is not read again. */
export interface KnownStat {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  readonly fileId: string;
  readonly sha256: string;
}

/** What vault and ledger last agreed on for a path. */
export interface AgreedFile {
  readonly sha256: string;
  /** `FileView.id`; empty where it is not known. */
  readonly id: string;
  /** The entry that brought these bytes (`FileView.contentN`); 0 where it is not known. */
  readonly n: number;
  /** `FileStat.fileId` of the file that had them here; absent where it is not known. */
  readonly fileId?: string;
}

/** Where this machine last put the note of a task, and with which bytes. */
export interface PlacedNote {
  readonly path: string;
  readonly sha256: string;
  /** The entry that brought these bytes (`TaskView.noteN`); 0 where it is not known. */
  readonly n: number;
  /** `FileStat.fileId` of the file it is; empty where it is not known. */
  readonly fileId: string;
}

/** What vault and ledger last agreed on, by path. */
export function agreedTable(db: CopyDatabase): CachedTable<AgreedFile> {
  const put = 'INSERT OR REPLACE INTO agreed (path, sha256, id, n, fileId) VALUES (?, ?, ?, ?, ?)';
  return new CachedTable(db, {
    load: () => {
      const rows = db.sql('SELECT path, sha256, id, n, fileId FROM agreed').all();
      return new Map(
        rows.map(({ path, sha256, id, n, fileId }) => [
          String(path),
          {
            ...{ sha256: String(sha256), id: String(id), n: Number(n) },
            ...(fileId ? { fileId: String(fileId) } : {}),
          },
        ]),
      );
    },
    put: (path, { sha256, id, n, fileId }) => void db.sql(put).run(path, sha256, id, n, fileId ?? ''),
    remove: (path) => void db.sql('DELETE FROM agreed WHERE path = ?').run(path),
  });
}

/** Where the notes of tasks were put last, by task. */
export function notesTable(db: CopyDatabase): CachedTable<PlacedNote> {
  const put = 'INSERT OR REPLACE INTO notes (taskId, path, sha256, n, fileId) VALUES (?, ?, ?, ?, ?)';
  return new CachedTable(db, {
    load: () => {
      const rows = db.sql('SELECT taskId, path, sha256, n, fileId FROM notes').all();
      return new Map(
        rows.map(({ taskId, path, sha256, n, fileId }) => [
          String(taskId),
          { path: String(path), sha256: String(sha256), n: Number(n), fileId: String(fileId) },
        ]),
      );
    },
    put: (taskId, { path, sha256, n, fileId }) => void db.sql(put).run(taskId, path, sha256, n, fileId),
    remove: (taskId) => void db.sql('DELETE FROM notes WHERE taskId = ?').run(taskId),
  });
}

/** The files of the last scan, by path. */
export function statsTable(db: CopyDatabase): CachedTable<KnownStat> {
  const put =
    'INSERT OR REPLACE INTO stats (path, sizeBytes, modifiedMs, changedMs, fileId, sha256) VALUES (?, ?, ?, ?, ?, ?)';
  return new CachedTable(db, {
    load: () => {
      const rows = db.sql('SELECT path, sizeBytes, modifiedMs, changedMs, fileId, sha256 FROM stats').all();
      return new Map(
        rows.map((row) => [
          String(row['path']),
          {
            sizeBytes: Number(row['sizeBytes']),
            modifiedMs: Number(row['modifiedMs']),
            changedMs: Number(row['changedMs']),
            fileId: String(row['fileId']),
            sha256: String(row['sha256']),
          },
        ]),
      );
    },
    put: (path, { sizeBytes, modifiedMs, changedMs, fileId, sha256 }) =>
      void db.sql(put).run(path, sizeBytes, modifiedMs, changedMs, fileId, sha256),
    remove: (path) => void db.sql('DELETE FROM stats WHERE path = ?').run(path),
  });
}
