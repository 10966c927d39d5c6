import { sha256Hex } from '#protocol/canonical.ts';
import { shortId } from '#protocol/ids.ts';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView, VaultState } from '#protocol/vault-state.ts';
import type { Agent } from './agent.ts';
import { counted } from './counted.ts';
import { reasonWords } from './inbox.ts';
import { visibleLine } from './visible.ts';

const FOLDER = 'Briefings/';

/**
 * Writes the page of each day on which something moved: what came, what was left out and why, what was
 * done. The page follows from the ledger and is rewritten as the day goes on, until a person edits it:
 * from then on it is the person's.
 *
 * @param days `YYYY-MM-DD` of the days to look at.
 * @returns how many pages were written.
 */
export async function writeBriefings(agent: Agent, days: ReadonlySet<string>): Promise<number> {
  let written = 0;
  for (const day of days) {
    const path = `${FOLDER}${day}.md`;
    const page = Buffer.from(briefing(agent.session.state, day));
    const present = await agent.files.read(path);
    const hash = present ? sha256Hex(present) : null;
    if (hash === sha256Hex(page) || (hash !== null && !isOurs(agent, path, hash))) continue;
    if ((await agent.files.write(path, page, hash)) === 'changed') continue;
    agent.copy.setFact(path, sha256Hex(page));
    written += 1;
  }
  return written;
}

/** Whether a file is a page that this machine wrote and nobody changed: there is nothing in it to keep. */
export function isOwnBriefing(agent: Agent, path: string, hash: string | undefined): boolean {
  return path.startsWith(FOLDER) && (hash === undefined || isOurs(agent, path, hash));
}

/** The page of one day, as Markdown. */
export function briefing(state: VaultState, day: string): string {
  const came = [...state.tasks.values()].filter((task) => task.createdAt.startsWith(day));
  const ended = [...state.tasks.values()].filter((task) => task.result && task.updatedAt.startsWith(day));
  const sections = [
    section('Waits for you', came.filter(isWaiting)),
    section(
      'Sent',
      ended.filter((task) => task.state === 'done'),
    ),
    section(
      'To look at',
      came.filter((task) => ['quarantined', 'failed', 'indeterminate'].includes(task.state)),
    ),
    section(
      'For your information',
      came.filter((task) => task.state === 'needs_action'),
    ),
    section(
      'Left out',
      came.filter((task) => task.state === 'ignored' || task.state === 'rejected'),
    ),
  ].filter((text) => text !== '');
  return `# ${day}\n\n${counted(came.length, 'mail')} came in.\n${sections.join('')}`;
}

function isWaiting(task: TaskView): boolean {
  return task.state === 'pending_approval' || task.state === 'approved' || task.state === 'executing';
}

function section(title: string, tasks: readonly TaskView[]): string {
  if (tasks.length === 0) return '';
  return `\n## ${title}\n\n${tasks.map((task) => `- ${line(task)}\n`).join('')}`;
}

function line(task: TaskView): string {
  const subject = markdownText(task.mail?.subject ?? '') || '(no subject)';
  const note = notePath(task);
  const title = note === undefined ? `**${subject}**` : `[[${note.replace(/\.md$/, '')}|${subject}]]`;
  const from = task.mail?.from?.address ?? task.mail?.envelopeFrom ?? '';
  const reason = reasonWords(task);
  const why = reason === undefined ? '' : `: ${markdownText(reason)}`;
  return `${title} from ${markdownText(from) || 'nobody'} (${shortId(task.taskId)})${why}`;
}

/** Words of a stranger on one line, with nothing that Markdown or Obsidian would act on. */
function markdownText(text: string): string {
  return visibleLine(text, 120)
    .replace(/[[\]|`*_<>#!\\]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

function isOurs(agent: Agent, path: string, hash: string): boolean {
  return agent.copy.fact(path) === hash;
}
