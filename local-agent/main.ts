import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readCliEnv } from './cli-env.ts';
import { locateConfig } from './config-location.ts';
import { ExitCode, exitCodeOf } from './exit-codes.ts';
import { createOutput } from './output.ts';
import { parseCommandLine } from './program.ts';

/**
 * Runs one command line of `employee` to its end. Never throws: what went wrong is said on stderr, or as
 * the JSON document that `--json` promises.
 *
 * @returns the exit status.
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const env = readCliEnv(process.env);
  const cwd = process.cwd();
  // Also a command line that cannot be read is answered in the form it asks for.
  const json = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');
  const out = createOutput(process, { json, noColour: env.noColour, debug: env.debug });
  try {
    const invocation = parseCommandLine(argv, version());
    if (invocation.kind === 'help') {
      out.result({ help: invocation.text }, () => invocation.text);
      return ExitCode.done;
    }
    return await invocation.run({ location: locateConfig(invocation.options, env, cwd), out, cwd });
  } catch (error) {
    out.error(error);
    return exitCodeOf(error);
  }
}

function version(): string {
  const file = path.resolve(import.meta.dirname, '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
