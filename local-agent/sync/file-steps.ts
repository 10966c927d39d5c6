import type { FileView } from '#protocol/vault-state.ts';
import type { AgreedFile } from '../copy-tables.ts';
import type { Withheld } from './scan.ts';

/** The file of the ledger at a path. */
export interface LedgerPlace {
  readonly path: string;
  readonly file: FileView;
}

/** Notes what is so on both sides already; nothing is carried. */
export interface AgreeStep {
  readonly do: 'agree';
  readonly path: string;
  readonly agreed: AgreedFile | undefined;
}

/** Brings a name or contents of this machine into the ledger. */
export interface CarryStep {
  readonly do: 'carry';
  /** Where the file stands on this machine; absent when only the ledger's own file gets another name. */
  readonly disk?: string;
  /** Where the ledger has it; absent for a new file. */
  readonly at?: LedgerPlace;
  /** Where the ledger is to have it. */
  readonly to: string;
  /** The hash of the contents on this machine, where they are to go up. */
  readonly ours?: string;
  /** What this machine last agreed on for the file. */
  readonly was?: AgreedFile;
  /** The path under which that is noted. */
  readonly known?: string;
  /** The ledger's contents changed as well since then: the two are to be merged. */
  readonly merge?: true;
}

/** Takes a file out of the ledger that a person deleted here. */
export interface DeleteStep {
  readonly do: 'delete';
  readonly at: LedgerPlace;
}

/** Keeps this machine's version beside the one of the ledger, for a person to choose. */
export interface ConflictStep {
  readonly do: 'conflict';
  readonly disk: string;
  readonly ours: string;
  /** What the ledger has at that path. */
  readonly theirs?: FileView;
}

/** Steps towards the ledger. */
export type UploadStep = CarryStep | DeleteStep | ConflictStep;

/** Steps towards the vault. All bytes that they replace are in the ledger. */
export type DiskStep =
  | { readonly do: 'remove'; readonly path: string; readonly expected: string; readonly gone: boolean }
  | {
      readonly do: 'move';
      readonly path: string;
      readonly to: string;
      readonly expected: string;
      readonly file: FileView;
    }
  /** Folders that these steps emptied go, before files may need their names. */
  | { readonly do: 'tidy' }
  | {
      readonly do: 'write';
      readonly path: string;
      readonly expected: string | null;
      readonly file: FileView;
    };

export type FileStep = AgreeStep | UploadStep | DiskStep;

/** What is known of the three sides. */
export interface PlanInput {
  /** What this machine last agreed on with the ledger, by the path it has here. */
  readonly agreed: ReadonlyMap<string, AgreedFile>;
  /** The hashes of the vault's files. */
  readonly disk: ReadonlyMap<string, string>;
  readonly fileIds?: ReadonlyMap<string, { readonly fileId: string }>;
  readonly ledger: ReadonlyMap<string, FileView>;
  /** Why a path is none of this sync's business, if it is not. Nothing is concluded from what is or is not there. */
  readonly outside: (path: string) => boolean;
  /** Whether a file is one that this machine wrote by itself and can write again. */
  readonly isOwnWork: (path: string, sha256: string) => boolean;
  /** Files on the disk that could not go up; they stay as they are. */
  readonly left: ReadonlySet<string>;
  /** Files on the disk that are not what their `fileId` was before. */
  readonly apart: ReadonlySet<string>;
}

/** What to do next. Steps towards the vault come only when none towards the ledger is left: plan again after those. */
export interface FilesPlan {
  /** In the order in which they are to be taken. */
  readonly steps: readonly FileStep[];
  readonly withheld: readonly Withheld[];
  /** What becomes of a person's change that could not stay as it was, in words. */
  readonly explained: readonly string[];
}
