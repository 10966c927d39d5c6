import { taskFolderOf } from '#protocol/vault-path.ts';
import { withheldPath } from '#protocol/withheld.ts';
import type { Agent } from '../agent.ts';
import { isOwnBriefing } from '../briefing.ts';
import { applyFiles, refusedContents } from './apply-files.ts';
import type { DiskStep, FileStep, FilesPlan, UploadStep } from './file-steps.ts';
import { FilesRun } from './files-run.ts';
import type { FilesReport } from './files-run.ts';
import { guardDeletes, noteDeletes } from './guard-deletes.ts';
import { whyMisspelt } from './name-rules.ts';
import { parkFiles } from './park-files.ts';
import { planFiles } from './plan-files.ts';
import { pushFiles } from './push-files.ts';
import type { Scan } from './scan.ts';
import { checkSentinel } from './sentinel.ts';

/** Others may append between plan and push: so often it is planned afresh before it is left to the next sync. */
const MAX_ROUNDS = 8;

/**
 * Brings the files that are no task's notes in step with the ledger: plans, carries what is new here into the
 * ledger, plans again, and when nothing is left to carry, brings the vault in step. So a sync that is
 * interrupted at any point has lost nothing and is taken up by the next one.
 *
 * @param allowDeletes a person says that any number of deletions is meant.
 * @throws {MassDeleteError} when more than half of at least ten files are gone: nothing is carried then.
 * {NotAVaultError} when the vault went away meanwhile.
 */
export async function syncFiles(agent: Agent, scan: Scan, allowDeletes = false): Promise<FilesReport> {
  const run = new FilesRun(agent, scan);
  parkFiles(agent, scan);
  const outside = outsideOf(run);
  let plan: FilesPlan | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    plan = planFiles({
      agreed: agent.copy.allAgreed(),
      disk: run.disk,
      fileIds: scan.stats,
      ledger: run.state.files,
      outside,
      isOwnWork: (path, sha256) => isOwnBriefing(agent, path, sha256),
      left: run.left,
      apart: run.apart,
    });
    if (!(await take(run, plan, allowDeletes))) break;
  }
  // What one round could not place, the next one may.
  for (const { path, why } of plan?.withheld ?? []) scan.withhold(path, why);
  return run.report;
}

/** @returns whether something was done after which there may be more to do. */
async function take(run: FilesRun, plan: FilesPlan, allowDeletes: boolean): Promise<boolean> {
  for (const line of plan.explained) run.report.explained.add(line);
  const uploads = plan.steps.filter(isUpload);
  const onDisk = plan.steps.filter(isOnDisk);
  const deletes = uploads.filter((step) => step.do === 'delete').length;
  if (!allowDeletes) guardDeletes(run.agent, deletes);
  const agrees = plan.steps.filter((step) => step.do === 'agree');
  // A name that one file left may be the one that another took.
  for (const { path, agreed } of agrees) if (!agreed) run.agree(path, undefined);
  for (const { path, agreed } of agrees) if (agreed) run.agree(path, agreed);
  run.settle();
  if (uploads.length === 0 && onDisk.length === 0) return false;
  // An unmounted disk has no files: nothing may be concluded from that.
  await checkSentinel(run.agent);
  if (uploads.length === 0) await applyFiles(run, onDisk);
  else {
    await pushFiles(run, uploads);
    noteDeletes(run.agent, deletes, allowDeletes);
  }
  return true;
}

/** Which paths are none of this sync's business. Asked for those only on which the sides differ. */
function outsideOf(run: FilesRun): (path: string) => boolean {
  const { scan } = run;
  const answers = new Map<string, boolean>();
  const judge = (path: string): boolean => {
    // A task's note moves by its task.
    if (taskFolderOf(path)) return true;
    const why = whyMisspelt(path) ?? withheldPath(path);
    if (why !== undefined) scan.withhold(path, why);
    return why !== undefined;
  };
  return (path) => {
    if (run.unsure.has(path) || scan.isWithheld(path)) return true;
    const file = run.state.files.get(path);
    const refused = file && refusedContents(run).get(file.content.sha256);
    if (refused !== undefined && run.disk.get(path) !== file?.content.sha256) {
      scan.withhold(path, refused);
      return true;
    }
    let answer = answers.get(path);
    if (answer === undefined) answers.set(path, (answer = judge(path)));
    return answer;
  };
}

function isUpload(step: FileStep): step is UploadStep {
  return step.do === 'carry' || step.do === 'delete' || step.do === 'conflict';
}

function isOnDisk(step: FileStep): step is DiskStep {
  return step.do === 'remove' || step.do === 'move' || step.do === 'write' || step.do === 'tidy';
}
