const NOTHING = /^0+$/;

/** The command that takes {@link indexInput}. */
export const UPDATE_INDEX = ['update-index', '-z', '--add', '--remove', '--replace', '--index-info'] as const;

/** One path of an index; an id of zeros takes it out. */
export interface IndexEntry {
  readonly path: string;
  readonly mode: string;
  readonly id: string;
}

/** Entries as {@link UPDATE_INDEX} reads them. Removals first: a file may make room for a folder. */
export function indexInput(entries: readonly IndexEntry[]): string {
  const gone = entries.filter(({ id }) => NOTHING.test(id)).map(({ id, path }) => `0 ${id}\t${path}\0`);
  const here = entries
    .filter(({ id }) => !NOTHING.test(id))
    .map(({ mode, id, path }) => `${mode} ${id}\t${path}\0`);
  return [...gone, ...here].join('');
}
