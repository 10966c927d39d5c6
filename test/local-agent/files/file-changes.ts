import type { Files } from '#protocol/ports.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { VaultFolder } from './vault-folder.ts';

/** The path that every change is about, what stood there, and what the sync brings. */
export const NOTE = 'Journal/note.md';
export const MOVED = 'Done/note.md';
export const BASE = 'what stood there';
export const INCOMING = 'what the ledger has';

/** What a sync does with a file. */
export interface FileChangeCase {
  readonly name: string;
  readonly arrange: (vault: Pick<VaultFolder, 'put'>) => void;
  readonly change: (files: Files) => Promise<string>;
  /** The answer when nobody interferes. */
  readonly done: string;
  /** What is in the vault before and after. */
  readonly before: ReadonlyMap<string, string>;
  readonly after: ReadonlyMap<string, string>;
}

const base = sha256Hex(BASE);
const withNote = (vault: Pick<VaultFolder, 'put'>): void => {
  vault.put(NOTE, BASE);
  vault.put('Done/other.md', 'x');
};
const OTHER = ['Done/other.md', 'x'] as const;

/** Each change of a file that the port knows. */
export const FILE_CHANGES: readonly FileChangeCase[] = [
  {
    name: 'a new file',
    arrange: (vault) => vault.put('Done/other.md', 'x'),
    change: (files) => files.write(NOTE, Buffer.from(INCOMING), null),
    done: 'written',
    before: new Map([OTHER]),
    after: new Map([OTHER, [NOTE, INCOMING]]),
  },
  {
    name: 'a replaced file',
    arrange: withNote,
    change: (files) => files.write(NOTE, Buffer.from(INCOMING), base),
    done: 'written',
    before: new Map([OTHER, [NOTE, BASE]]),
    after: new Map([OTHER, [NOTE, INCOMING]]),
  },
  {
    name: 'a moved file',
    arrange: withNote,
    change: (files) => files.move(NOTE, MOVED, base),
    done: 'moved',
    before: new Map([OTHER, [NOTE, BASE]]),
    after: new Map([OTHER, [MOVED, BASE]]),
  },
  {
    name: 'a file that is moved to a name of other case',
    arrange: withNote,
    change: (files) => files.move(NOTE, 'Journal/NOTE.md', base),
    done: 'moved',
    before: new Map([OTHER, [NOTE, BASE]]),
    after: new Map([OTHER, ['Journal/NOTE.md', BASE]]),
  },
  {
    name: 'a removed file',
    arrange: withNote,
    change: (files) => files.remove(NOTE, base),
    done: 'removed',
    before: new Map([OTHER, [NOTE, BASE]]),
    after: new Map([OTHER]),
  },
];
