import { Command as Commander, CommanderError } from 'commander';
import { approveCommand } from './commands/approve.ts';
import { auditCommand } from './commands/audit.ts';
import { canaryCommand } from './commands/canary.ts';
import { claimCommand } from './commands/claim.ts';
import type { Command, CommandContext } from './commands/command.ts';
import { conflictsCommand } from './commands/conflicts.ts';
import { doctorCommand } from './commands/doctor.ts';
import { executeCommand } from './commands/execute.ts';
import { gcCommand } from './commands/gc.ts';
import { inboxCommand } from './commands/inbox.ts';
import { incidentsCommand } from './commands/incidents.ts';
import { initCommand } from './commands/init.ts';
import { keysCommand } from './commands/keys.ts';
import { ownerCommand } from './commands/owner.ts';
import { rejectCommand } from './commands/reject.ts';
import { releaseCommand } from './commands/release.ts';
import { repairCommand } from './commands/repair.ts';
import { runCommand } from './commands/run.ts';
import { showCommand } from './commands/show.ts';
import { statusCommand } from './commands/status.ts';
import { syncCommand } from './commands/sync.ts';
import { transferCommand } from './commands/transfer.ts';
import { verifyCommand } from './commands/verify.ts';
import { UsageError } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

const COMMANDS: readonly Command[] = [
  initCommand,
  doctorCommand,
  canaryCommand,
  statusCommand,
  runCommand,
  syncCommand,
  inboxCommand,
  showCommand,
  approveCommand,
  rejectCommand,
  executeCommand,
  claimCommand,
  releaseCommand,
  transferCommand,
  ownerCommand,
  conflictsCommand,
  verifyCommand,
  repairCommand,
  incidentsCommand,
  gcCommand,
  keysCommand,
  auditCommand,
];

const GLOBAL_OPTIONS = [
  ['--json', 'one JSON document on stdout and nothing else'],
  ['--vault <dir>', "the vault's folder (EMPLOYEE_VAULT)"],
  ['--config <file>', 'the config (EMPLOYEE_CONFIG)'],
] as const;

/** The options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly vault?: string;
  readonly config?: string;
}

/** A command line understood: what to run, or the help that was asked for. */
export type Invocation =
  | { readonly kind: 'help'; readonly text: string }
  | {
      readonly kind: 'run';
      readonly options: GlobalOptions;
      run(context: CommandContext): Promise<ExitCode>;
    };

/**
 * Reads a command line.
 *
 * @param argv what stands after `employee`.
 * @throws {UsageError} for an unknown command or option (naming the nearest), a missing argument or value.
 */
export function parseCommandLine(argv: readonly string[], version: string): Invocation {
  let written = '';
  let invocation: Invocation | undefined;
  const write = (text: string): void => {
    written += text;
  };
  const program = new Commander('employee')
    .description('An assistant that drafts in the cloud and acts only on what you approved, byte for byte.')
    .version(version, '--version', 'the version')
    .helpOption('-h, --help', 'this help')
    .helpCommand('help [command]', 'help for a command')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  addGlobalOptions(program);
  program.addHelpText(
    'after',
    '\nExit status: 0 done, 1 failed or found problems, 2 wrong usage, 3 needs you.\nA task is named by its id or any unambiguous beginning of it.',
  );
  for (const command of COMMANDS) {
    const sub = program
      .command(command.name)
      .description(command.summary)
      .exitOverride()
      .configureOutput({ writeOut: write, writeErr: write });
    for (const [name, description] of command.args) sub.argument(name, description);
    for (const [flags, description] of command.options) sub.option(flags, description);
    addGlobalOptions(sub);
    sub.helpOption('-h, --help', 'this help').allowExcessArguments(false);
    sub.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`);
    sub.action(() => {
      const { json, vault, config, ...own } = sub.optsWithGlobals<GlobalOptions & Record<string, unknown>>();
      const named = sub.registeredArguments.map(
        (argument, index) => [argument.name(), sub.processedArgs[index]] as const,
      );
      const raw = { ...own, ...Object.fromEntries(named) };
      const options = {
        ...(json ? { json } : {}),
        ...(vault === undefined ? {} : { vault }),
        ...(config === undefined ? {} : { config }),
      };
      invocation = { kind: 'run', options, run: (context) => command.run(raw, context) };
    });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'help', text: written };
    throw new UsageError(usageMessage(error, written), { cause: error });
  }
  if (!invocation)
    throw new UsageError(
      'say what to do, for example "employee inbox"; "employee --help" lists the commands',
    );
  return invocation;
}

function addGlobalOptions(command: Commander): void {
  for (const [flags, description] of GLOBAL_OPTIONS) command.option(flags, description);
}

function usageMessage(error: CommanderError, written: string): string {
  if (error.code === 'commander.help') {
    return 'say what to do, for example "employee inbox"; "employee --help" lists the commands';
  }
  const said = (written.trim() || error.message).replace(/^error:\s*/, '').replace(/\s*\n\s*/g, ' ');
  return `${said}${/[.)?]$/.test(said) ? '' : ';'} "employee --help" lists what there is`;
}
