import { z } from 'zod';
import { openConflicts } from '../conflicts.ts';
import type { OpenConflict } from '../conflicts.ts';
import { ExitCode, UsageError } from '../exit-codes.ts';
import type { Style } from '../output.ts';
import { resolveConflict } from '../resolve-conflict.ts';
import type { ConflictChoice, Resolution } from '../resolve-conflict.ts';
import { table } from '../table.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

const CHOICES = ['ours', 'theirs', 'both'] as const;

/** `employee conflicts`: lists what waits for a choice (exit status 3); `resolve PATH` makes it. */
export const conflictsCommand = defineCommand({
  name: 'conflicts',
  summary: 'files of which two versions are kept; choose one, or both',
  args: [
    ['[action]', '"resolve", or nothing to list them'],
    ['[path]', 'the file, or the copy, by its path inside the vault'],
  ],
  options: [
    ['--ours', 'the version of this machine stays'],
    ['--theirs', 'the other version stays'],
    ['--both', 'each stays, under its own name'],
  ],
  examples: [
    'employee conflicts',
    'employee conflicts resolve Notes/plan.md --ours',
    'employee conflicts resolve "Conflicts/plan (laptop 1a2b3c4d).md" --both --json',
  ],
  input: z.object({
    action: z.literal('resolve', 'is "resolve", or nothing').optional(),
    path: z.string().trim().min(1).optional(),
    ours: z.boolean().default(false),
    theirs: z.boolean().default(false),
    both: z.boolean().default(false),
  }),
  async run({ action, path, ...flags }, context) {
    const choices = CHOICES.filter((choice) => flags[choice]);
    if (action === undefined) {
      if (choices.length > 0)
        throw new UsageError(`name the file: employee conflicts resolve PATH --${choices[0]}`);
      const conflicts = await withAgent(context, async (agent) => {
        await agent.session.pull();
        return openConflicts(agent);
      });
      context.out.result({ conflicts }, (style) => listed(conflicts, style));
      return conflicts.length === 0 ? ExitCode.done : ExitCode.person;
    }
    const [choice, second] = choices;
    if (path === undefined || choice === undefined || second !== undefined) {
      throw new UsageError(
        'name one file and one choice: employee conflicts resolve PATH --ours, --theirs or --both',
      );
    }
    const resolution = await withAgent(context, (agent) => resolveConflict(agent, path, choice));
    context.out.result(resolution, (style) => settled(resolution, style));
    return ExitCode.done;
  },
});

function listed(conflicts: readonly OpenConflict[], style: Style): string {
  if (conflicts.length === 0) return 'no conflicts';
  const rows = conflicts.map(({ path, copy, writer, isOurs, at, kept, standing }) => [
    visibleLine(path, 60),
    visibleLine(copy, 80),
    isOurs ? `${writer} (ours)` : writer,
    at.slice(0, 16).replace('T', ' '),
    sizeOf(kept),
    sizeOf(standing),
  ]);
  const shown = table(['FILE', 'COPY', 'COPY IS OF', 'SINCE (UTC)', 'COPY SIZE', 'FILE SIZE'], rows);
  const how =
    'settle one: employee conflicts resolve FILE --ours | --theirs | --both    (deleting a copy settles it, too)';
  return `${shown}\n\n${style.dim(how)}`;
}

const STAYS: Readonly<Record<ConflictChoice, string>> = {
  ours: "this machine's version",
  theirs: 'the other version',
  both: 'both versions',
};

function settled(resolution: Resolution, style: Style): string {
  const { path, copy, choice, chosen, writer, n, superseded, copyStays } = resolution;
  const [file, kept] = [visibleLine(path), visibleLine(copy)];
  const rest = copyStays
    ? 'the copy was worked on since, so it stays as a file of its own'
    : 'the copy is gone';
  const where =
    chosen === 'both'
      ? `${file} is as it was, and ${kept} is a file of its own now`
      : chosen === 'copy'
        ? `${file} has the bytes of ${kept} (of ${writer}) now; ${rest}`
        : `${file} is as it was, and not as ${kept} (of ${writer}); ${rest}`;
  const history =
    superseded === null || (copyStays && chosen === 'path')
      ? ''
      : `\nthe other version stays in the ledger: entry ${superseded.n}, SHA-256 ${superseded.sha256.slice(0, 16)}…`;
  return `${style.good('settled')}  ${STAYS[choice]} stays: ${where} (entry ${n})${history}`;
}

function sizeOf(version: { readonly sizeBytes: number } | null): string {
  return version === null ? 'gone' : `${version.sizeBytes} B`;
}
