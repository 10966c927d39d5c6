import type { CopyDatabase } from './copy-database.ts';

/** How a table's rows are read and written. */
export interface TableAccess<Value> {
  readonly load: () => Map<string, Value>;
  readonly put: (key: string, value: Value) => void;
  readonly remove: (key: string) => void;
}

/**
 * A small table kept in memory as well, for a process that stays. Writes go through; what other processes
 * write, or a transaction undoes, is noticed before the next read.
 */
export class CachedTable<Value> {
  readonly #db: CopyDatabase;
  readonly #access: TableAccess<Value>;
  #rows: Map<string, Value> | undefined;
  #generation = '';

  constructor(db: CopyDatabase, access: TableAccess<Value>) {
    this.#db = db;
    this.#access = access;
  }

  /** All rows by key, as they are now. The map lives on: it follows each `set` of this process. */
  all(): ReadonlyMap<string, Value> {
    return this.#fresh();
  }

  get(key: string): Value | undefined {
    return this.#fresh().get(key);
  }

  /** Puts a row, or removes it for `undefined`. */
  set(key: string, value: Value | undefined): void {
    if (value === undefined) this.#access.remove(key);
    else this.#access.put(key, value);
    if (value === undefined) this.#rows?.delete(key);
    else this.#rows?.set(key, value);
  }

  #fresh(): Map<string, Value> {
    const generation = this.#db.generation();
    if (!this.#rows || generation !== this.#generation) {
      this.#rows = this.#access.load();
      this.#generation = generation;
    }
    return this.#rows;
  }
}
