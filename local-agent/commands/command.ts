import type { z } from 'zod';
import { openAgent, openResidentAgent } from '../open-agent.ts';
import type { Agent } from '../agent.ts';
import type { ConfigLocation } from '../config-location.ts';
import { UsageError } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { showProgress } from '../show-progress.ts';

/** What every command is given besides its own options. */
export interface CommandContext {
  readonly location: ConfigLocation;
  readonly out: Output;
  readonly cwd: string;
}

/** A command of `employee`, as the command line sees it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments: `<task>` is needed, `[task]` is not. */
  readonly args: readonly (readonly [name: string, description: string])[];
  readonly options: readonly (readonly [flags: string, description: string])[];
  readonly examples: readonly string[];
  readonly run: (raw: Readonly<Record<string, unknown>>, context: CommandContext) => Promise<ExitCode>;
}

interface Definition<Schema extends z.ZodType> extends Omit<Command, 'run' | 'args' | 'options'> {
  readonly args?: Command['args'];
  readonly options?: Command['options'];
  /** Options and arguments by their camel-case names. */
  readonly input: Schema;
  readonly run: (input: z.output<Schema>, context: CommandContext) => Promise<ExitCode>;
}

/** Makes a command whose input is checked before it runs. */
export function defineCommand<Schema extends z.ZodType>(definition: Definition<Schema>): Command {
  const { input, run, ...rest } = definition;
  return {
    args: [],
    options: [],
    ...rest,
    async run(raw, context) {
      const parsed = input.safeParse(raw);
      if (parsed.success) return run(parsed.data, context);
      const issue = parsed.error.issues[0];
      const name = String(issue?.path[0] ?? '');
      const isArgument = rest.args?.some(([flag]) => flag.replace(/[^a-z]/gi, '') === name) === true;
      throw new UsageError(
        `${isArgument ? name : kebab(name)}: ${issue?.message ?? 'invalid'}; see "employee ${rest.name} --help"`,
      );
    },
  };
}

/** Opens the agent for one piece of work and closes it whatever happens. */
export async function withAgent<T>(context: CommandContext, work: (agent: Agent) => Promise<T>): Promise<T> {
  const { configFile, vault } = context.location;
  const progress = showProgress(context.out);
  const agent = await openAgent(configFile, { vault, progress, log: (line) => context.out.log(line) });
  try {
    return await work(agent);
  } finally {
    await agent.close();
  }
}

/** The same for work that only looks, and may last: the state folder stays free for others meanwhile. */
export async function withResidentAgent<T>(
  context: CommandContext,
  work: (agent: Agent) => Promise<T>,
): Promise<T> {
  const { configFile, vault } = context.location;
  const agent = await openResidentAgent(configFile, { vault, log: (line) => context.out.log(line) });
  try {
    return await work(agent);
  } finally {
    await agent.close();
  }
}

function kebab(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
