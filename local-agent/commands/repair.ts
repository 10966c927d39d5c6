import path from 'node:path';
import { z } from 'zod';
import { ExitCode } from '../exit-codes.ts';
import type { Style } from '../output.ts';
import { copyFileOf, openOrDamage, rebuildCopyOf } from '../repair/damaged-copy.ts';
import type { Repair } from '../repair/repair.ts';
import { repairVault } from '../repair/repair-vault.ts';
import type { RepairReport } from '../repair/repair-vault.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { progressTo } from './verify.ts';

/** A repair as it is told; what it does is not a part of it. */
type Told = Omit<Repair, 'act' | 'recordAs'>;

interface Answer {
  readonly ok: boolean;
  readonly planned: readonly Told[];
  readonly done: readonly Told[];
  readonly failed: readonly { readonly repair: Told; readonly why: string }[];
  readonly left: RepairReport['left'];
}

/** `employee repair`: says what can be mended; `--yes` mends it. */
export const repairCommand = defineCommand({
  name: 'repair',
  summary: 'mend what verify finds: a plan first, --yes acts; both versions are kept',
  options: [
    ['--yes', 'carry the plan out'],
    ['--restore-vault <dir>', 'bring a lost vault back into its folder, named to confirm it'],
    ['--accept-loss <sha256...>', 'contents that none of your machines has any more'],
  ],
  examples: [
    'employee repair',
    'employee repair --yes',
    'employee repair --restore-vault ~/Vault --yes',
    'employee repair --json',
  ],
  input: z.object({
    yes: z.boolean().default(false),
    restoreVault: z.string().min(1).optional(),
    acceptLoss: z.array(z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256')).default([]),
  }),
  async run({ yes, restoreVault, acceptLoss }, context) {
    const options = {
      act: yes,
      acceptLoss,
      ...(restoreVault === undefined ? {} : { restoreVault: path.resolve(context.cwd, restoreVault) }),
      progress: progressTo(context.out),
    };
    const answer = await mend(context, options);
    context.out.result(answer, (style) => textOf(answer, style));
    if (answer.ok) return ExitCode.done;
    return answer.planned.length > 0 && !yes ? ExitCode.person : ExitCode.failed;
  },
});

async function mend(context: CommandContext, options: Parameters<typeof repairVault>[1]): Promise<Answer> {
  const { configFile, vault } = context.location;
  const log = (line: string): void => context.out.log(line);
  const done: Told[] = [];
  let opened = await openOrDamage(configFile, { vault, log });
  if ('damage' in opened) {
    const told = copyRepair(copyFileOf(configFile), opened.damage);
    if (!options.act) return { ok: false, planned: [told], done, failed: [], left: [] };
    const { entries, keptAs, effects, journalWhole } = await rebuildCopyOf(configFile, log);
    const journal = journalWhole ? 'whole' : `not whole, ${effects} calls saved`;
    log(
      `${entries} entries read again and checked; journal of calls ${journal}; the damaged file is ${keptAs}`,
    );
    done.push(told);
    opened = await openOrDamage(configFile, { vault, log });
    if ('damage' in opened) throw new Error(`the rebuilt copy cannot be read: ${opened.damage}`);
  }
  const { agent } = opened;
  try {
    const report = await repairVault(agent, options);
    return {
      ok: report.ok,
      planned: report.planned.map(told),
      done: [...done, ...report.done.map(told)],
      failed: report.failed.map(({ repair, why }) => ({ repair: told(repair), why })),
      left: report.left,
    };
  } finally {
    await agent.close();
  }
}

function copyRepair(file: string, why: string): Told {
  return {
    code: 'copy',
    paths: [file],
    what: `read all of the ledger again into ${file}`,
    why: `this machine's copy cannot be used: ${why}`,
    keeps: 'the damaged file beside the new one, and the journal of calls as far as it can be read',
  };
}

function told({ act: _act, recordAs: _recordAs, ...rest }: Repair): Told {
  return rest;
}

function textOf({ ok, planned, done, failed, left }: Answer, style: Style): string {
  if (ok && done.length === 0) return `${style.good('nothing to mend')}  ledger, vault and tasks agree`;
  const item = ({ what, why, keeps }: Told, index: number): string[] => [
    `  ${index + 1}. ${visibleLine(what, 300)}`,
    style.dim(`     because ${visibleLine(why, 300)}`),
    style.dim(`     kept: ${visibleLine(keeps, 300)}`),
  ];
  return [
    ...(done.length > 0 ? [style.good('mended'), ...done.flatMap(item)] : []),
    ...(planned.length > 0
      ? [style.bold(done.length > 0 ? 'still to mend' : 'can be mended'), ...planned.flatMap(item)]
      : []),
    ...failed.map(({ repair, why }) => style.bad(`  not done: ${visibleLine(repair.what, 200)}: ${why}`)),
    ...(left.length > 0 ? [style.bad('cannot be mended here')] : []),
    ...left.flatMap(({ code, message, fix }) => [
      `  ${code}  ${visibleLine(message, 300)}`,
      style.dim(`     do: ${fix}`),
    ]),
    ...(planned.length > 0 && done.length === 0
      ? ['nothing was changed; "employee repair --yes" carries this out']
      : []),
    ...(ok ? [style.good('ledger, vault and tasks agree')] : []),
  ].join('\n');
}
