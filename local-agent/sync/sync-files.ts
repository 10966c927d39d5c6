import { sha256Hex } from '#protocol/canonical.ts';
import { EmployeeError } from '#protocol/errors.ts';
import type { FileChange } from '#protocol/ledger-body.ts';
import type { Ring } from '#protocol/seal.ts';
import { ringOf, taskFolderOf } from '#protocol/vault-path.ts';
import { withheldContent } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import { accepted } from '../append-change.ts';
import { isOwnBriefing } from '../briefing.ts';
import { load, store } from '../contents.ts';
import { keepBoth } from './keep-both.ts';
import { MAX_FILE_BYTES } from './scan.ts';
import type { Scan } from './scan.ts';

const MAX_CHANGES = 100;
const MAX_INLINE_BYTES = 200_000;

/** So many files vanished at once that a mistake is likelier than a wish. */
export class MassDeleteError extends EmployeeError {
  static override readonly code = 'MASS_DELETE';
}

/** What became of the files that are no task's notes in one sync. */
export interface FilesReport {
  applied: number;
  pushed: number;
  readonly conflicts: string[];
}

/**
 * Three-way on content hashes: last agreed, on disk, in the ledger. What one side changed goes to the
 * other; what both changed is kept twice; an edit beats a delete.
 *
 * @throws {MassDeleteError} when more than half of at least ten files are gone: nothing is deleted then.
 */
export async function syncFiles(agent: Agent, scan: Scan): Promise<FilesReport> {
  const report: FilesReport = { applied: 0, pushed: 0, conflicts: [] };
  const agreed = agent.copy.allAgreed();
  const withheld = new Set(scan.withheld.map(({ path }) => path));
  guardMassDelete(agreed, scan, withheld);
  const changes: FileChange[] = [];
  const paths = new Set([...agreed.keys(), ...scan.files.keys(), ...agent.session.state.files.keys()]);
  for (const path of [...paths].sort()) {
    // A file that became withheld is not a deleted one: what the ledger holds stays.
    if (taskFolderOf(path) || isWithheld(path, withheld)) continue;
    // Follows from the ledger: there is nothing to carry.
    if (!agent.session.state.files.has(path) && isOwnBriefing(agent, path, scan.files.get(path))) continue;
    const change = await reconcile(
      agent,
      path,
      { base: agreed.get(path), disk: scan.files.get(path) },
      scan,
      report,
    );
    if (change) changes.push(change);
  }
  await push(agent, changes, report);
  return report;
}

async function reconcile(
  agent: Agent,
  path: string,
  hashes: { readonly base: string | undefined; readonly disk: string | undefined },
  scan: Scan,
  report: FilesReport,
): Promise<FileChange | undefined> {
  const { base, disk } = hashes;
  const ledger = agent.session.state.files.get(path)?.content.sha256;
  if (disk === ledger) {
    if (base !== disk) agent.copy.setAgreed(path, disk);
    return undefined;
  }
  const changedHere = disk !== base;
  const changedThere = ledger !== base;
  if (changedHere && !changedThere) return outgoing(agent, path, disk, ledger, scan);
  if (changedHere && disk !== undefined && ledger === undefined)
    return outgoing(agent, path, disk, ledger, scan);
  if (changedHere && disk !== undefined) {
    const bytes = await agent.files.read(path);
    if (bytes) report.conflicts.push(await keepBoth(agent, path, bytes));
  }
  await incoming(agent, path, disk ?? null, report);
  return undefined;
}

async function outgoing(
  agent: Agent,
  path: string,
  disk: string | undefined,
  ledger: string | undefined,
  scan: Scan,
): Promise<FileChange | undefined> {
  if (disk === undefined) return ledger === undefined ? undefined : { op: 'delete', path, base: ledger };
  const bytes = await agent.files.read(path);
  // Changed since the scan: the next sync takes it.
  if (!bytes || sha256Hex(bytes) !== disk) return undefined;
  const why =
    bytes.byteLength > MAX_FILE_BYTES
      ? 'it is larger than 25 MB'
      : withheldContent(bytes);
  if (why !== undefined) {
    scan.withheld.push({ path, why });
    return undefined;
  }
  const content = await store(agent, bytes, ringOf(path));
  return { op: 'put', path, content, ...(ledger === undefined ? {} : { base: ledger }) };
}

async function incoming(agent: Agent, path: string, disk: string | null, report: FilesReport): Promise<void> {
  const file = agent.session.state.files.get(path);
  if (file) {
    const bytes = await load(agent, file.content, file.ring);
    if ((await agent.files.write(path, bytes, disk)) === 'changed') return;
    agent.copy.setAgreed(path, file.content.sha256);
  } else {
    if (disk !== null && (await agent.files.remove(path, disk)) === 'changed') return;
    agent.copy.setAgreed(path, undefined);
  }
  report.applied += 1;
}

/** Appends the changes, as few entries as their size allows, each sealed for the zones that may read it. */
async function push(agent: Agent, changes: readonly FileChange[], report: FilesReport): Promise<void> {
  for (const ring of ['shared', 'private'] as const) {
    const mine = changes.filter((change) => ringOf(change.path) === ring);
    for (const batch of batches(mine)) await pushBatch(agent, batch, ring, report);
  }
}

async function pushBatch(agent: Agent, batch: FileChange[], ring: Ring, report: FilesReport): Promise<void> {
  const outcome = await agent.session.append((state) => {
    // What others changed meanwhile is left to the next sync.
    const current = batch.filter((change) => state.files.get(change.path)?.content.sha256 === change.base);
    return current.length === 0 ? undefined : { ring, body: { kind: 'files', changes: current } };
  });
  if (!outcome.appended || !accepted(agent.session.state, outcome.entry.n)) return;
  for (const change of batch) {
    const now = agent.session.state.files.get(change.path)?.content.sha256;
    const wanted = change.op === 'put' ? change.content.sha256 : undefined;
    if (now === wanted) agent.copy.setAgreed(change.path, wanted);
    report.pushed += 1;
  }
}

function* batches(changes: readonly FileChange[]): Generator<FileChange[]> {
  let batch: FileChange[] = [];
  let sizeBytes = 0;
  for (const change of changes) {
    const size = entryBytes(change);
    if (batch.length === MAX_CHANGES || (batch.length > 0 && sizeBytes + size > MAX_INLINE_BYTES)) {
      yield batch;
      [batch, sizeBytes] = [[], 0];
    }
    batch.push(change);
    sizeBytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** As it will stand in the entry: a control character takes six bytes there. */
function entryBytes(change: FileChange): number {
  return Buffer.byteLength(JSON.stringify(change));
}

/** Also by a folder above it, such as one that became a link. */
function isWithheld(path: string, withheld: ReadonlySet<string>): boolean {
  const parts = path.split('/');
  return parts.some((_part, index) => withheld.has(parts.slice(0, index + 1).join('/')));
}

function guardMassDelete(
  agreed: ReadonlyMap<string, string>,
  scan: Scan,
  withheld: ReadonlySet<string>,
): void {
  const gone = [...agreed.keys()].filter((path) => !scan.files.has(path) && !isWithheld(path, withheld));
  if (agreed.size >= 10 && gone.length > agreed.size / 2) {
    throw new MassDeleteError(
      `${gone.length} of ${agreed.size} files are gone from the vault; nothing was synced. Put them back, or delete them in smaller steps`,
    );
  }
}
