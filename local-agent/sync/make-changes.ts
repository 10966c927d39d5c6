import { sha256Hex } from '#protocol/canonical.ts';
import type { ContentRef } from '#protocol/content.ts';
import type { FileChange } from '#protocol/ledger-body.ts';
import { openBody } from '#protocol/ledger-entry.ts';
import { mergeBytes } from '#protocol/merge.ts';
import type { Ring } from '#protocol/seal.ts';
import { ringOf } from '#protocol/vault-path.ts';
import { withheldContent } from '#protocol/withheld.ts';
import { load } from '../contents.ts';
import type { StoreItem } from '../store-all.ts';
import type { CarryStep } from './file-steps.ts';
import type { FilesRun } from './files-run.ts';
import { isOfOnePath } from './one-path.ts';
import { MAX_FILE_BYTES } from './scan.ts';

/** A change to append, made of a step. */
export interface Job {
  readonly step: CarryStep | { readonly do: 'delete'; readonly disk?: never; readonly known?: string };
  readonly ring: Ring;
  readonly change: FileChange;
  /** What is taken out of the other ring once this is in. */
  readonly after?: FileChange;
}

/** What is to be stored for a step, before it can become a change. */
export interface Cargo {
  readonly step: CarryStep;
  /** What the ledger is to have; absent when it has that already. */
  readonly content?: Uint8Array;
  /** This machine's own version, where `content` is a merge. */
  readonly merged?: Uint8Array;
}

/** This machine's version cannot be merged with the ledger's. */
export interface Unmergeable {
  readonly step: CarryStep;
  readonly conflict: Uint8Array;
}

/**
 * Reads and checks what a step carries.
 *
 * @returns `undefined` when there is nothing to carry now; the run says why.
 */
export async function cargoOf(run: FilesRun, step: CarryStep): Promise<Cargo | Unmergeable | undefined> {
  const { agent } = run;
  const { disk, ours, at, merge, to } = step;
  if (disk === undefined || ours === undefined) {
    if (!at || ringOf(at.path) === ringOf(to)) return { step };
    const { content, ring } = at.file;
    const here = disk !== undefined && run.disk.get(disk) === content.sha256;
    const bytes = here ? await readOurs(run, disk, content.sha256) : await load(agent, content, ring);
    return bytes && { step, content: bytes };
  }
  const bytes = await readOurs(run, disk, ours, at && (() => load(agent, at.file.content, at.file.ring)));
  if (!bytes) return undefined;
  if (!at || !merge) return { step, content: bytes };
  if (wasMerged(run, step)) {
    run.agree(disk, { sha256: ours, id: at.file.id, n: at.file.contentN });
    if (step.known !== undefined && step.known !== disk) run.agree(step.known, undefined);
    return undefined;
  }
  const theirs = await load(agent, at.file.content, at.file.ring);
  const merged = mergeBytes(await baseOf(run, step), bytes, theirs);
  if (!merged) return { step, conflict: bytes };
  const why =
    merged.byteLength > MAX_FILE_BYTES ? 'it is larger than 25 MB' : withheldContent(merged, theirs);
  if (why === undefined) return { step, content: merged, merged: bytes };
  run.left.add(disk);
  run.scan.withhold(disk, why);
  return undefined;
}

/** Reads a file that is to go up, if it still is what was planned with and may leave this machine. */
export async function readOurs(
  run: FilesRun,
  path: string,
  sha256: string,
  theirs?: () => Promise<Uint8Array>,
): Promise<Uint8Array | undefined> {
  const bytes = await run.agent.files.read(path);
  if (!bytes || sha256Hex(bytes) !== sha256) {
    // Changed since the scan: the next sync takes it.
    run.left.add(path);
    return undefined;
  }
  let why = bytes.byteLength > MAX_FILE_BYTES ? 'it is larger than 25 MB' : withheldContent(bytes);
  // What has travelled before is no reason to hold back the next edit.
  if (why !== undefined && theirs && bytes.byteLength <= MAX_FILE_BYTES) {
    why = withheldContent(bytes, await theirs());
  }
  if (why === undefined) return bytes;
  run.left.add(path);
  run.scan.withhold(path, why);
  return undefined;
}

/** The contents to store for a step, in the order in which `jobOf` takes them back. */
export function* itemsOf({ step, content, merged }: Cargo): Generator<StoreItem> {
  const ring = ringOf(step.to);
  if (content) yield { bytes: content, ring };
  if (merged) yield { bytes: merged, ring };
}

/** The change that a step comes to. */
export function jobOf({ step, content, merged }: Cargo, refs: Iterator<ContentRef>): Job | undefined {
  const stored = content ? nextOf(refs) : undefined;
  const own = merged ? nextOf(refs) : undefined;
  const { at, to } = step;
  const ring = ringOf(to);
  const contents = { ...(stored ? { content: stored } : {}), ...(own ? { merged: own } : {}) };
  if (at && at.path !== to && ringOf(at.path) === ring) {
    return {
      step,
      ring,
      change: { op: 'move', path: at.path, to, base: at.file.content.sha256, ...contents },
    };
  }
  if (!stored) return undefined;
  const put = { op: 'put', path: to, ...contents, content: stored } as const;
  if (!at) return { step, ring, change: put };
  const base = at.file.content.sha256;
  if (at.path === to) return { step, ring, change: { ...put, base } };
  return { step, ring, change: put, after: { op: 'delete', path: at.path, base } };
}

function nextOf(refs: Iterator<ContentRef>): ContentRef {
  const next = refs.next();
  if (next.done === true) throw new Error('fewer contents were stored than asked for');
  return next.value;
}

/** The ledger's version is this machine's own merge of what stands on the disk: it died before it wrote it. */
function wasMerged({ agent }: FilesRun, { at, ours }: CarryStep): boolean {
  const entry = at && agent.copy.entryAt(at.file.contentN);
  const body = entry && openBody(entry, agent.keys.keyring);
  if (body?.kind !== 'files') return false;
  return body.changes.some(
    (change) =>
      change.op !== 'delete' &&
      (change.op === 'move' ? change.to : change.path) === at?.path &&
      change.merged?.sha256 === ours,
  );
}

async function baseOf({ agent }: FilesRun, { was }: CarryStep): Promise<Uint8Array | undefined> {
  const content = was && agent.copy.contentAt(was.n, was.sha256);
  const entry = content && agent.copy.entryAt(was.n);
  try {
    return entry && (await load(agent, content, entry.ring));
  } catch (error) {
    // Without the base there is no merge, and both versions are kept.
    if (isOfOnePath(error)) return undefined;
    throw error;
  }
}
