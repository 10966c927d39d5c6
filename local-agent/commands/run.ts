import { z } from 'zod';
import { ExitCode } from '../exit-codes.ts';
import { runDaemon } from '../run.ts';
import { defineCommand } from './command.ts';

/** `employee run`: the daemon, until it is told to stop. */
export const runCommand = defineCommand({
  name: 'run',
  summary: 'stay: sync, watch the vault, show the desk, run what is approved',
  options: [
    ['--port <n>', 'port of the desk on 127.0.0.1; 0 for any free one (default: "deskPort" of the config)'],
    ['--exit-with-parent', 'end when standard input ends'],
  ],
  examples: ['employee run', 'employee run --port 8787'],
  input: z.object({
    port: z
      .string()
      .regex(/^\d{1,5}$/, 'a port is a number from 0 to 65535')
      .transform(Number)
      .refine((port) => port <= 65_535, 'a port is a number from 0 to 65535')
      .optional(),
    exitWithParent: z.boolean().default(false),
  }),
  async run({ port, exitWithParent }, { location, out }) {
    const stop = new AbortController();
    const end = (): void => stop.abort();
    // Once: a second Ctrl-C ends the process at once, whatever it is doing.
    process.once('SIGINT', end);
    process.once('SIGTERM', end);
    if (exitWithParent) process.stdin.resume().once('end', end).once('close', end).once('error', end);
    try {
      await runDaemon({
        configFile: location.configFile,
        vault: location.vault,
        deskPort: port,
        signal: stop.signal,
        log: (line) => out.log(line),
        // For whoever started it, in every mode: one line of JSON, the only one on stdout.
        ready: (desk) => process.stdout.write(`${JSON.stringify({ ready: true, desk })}\n`),
      });
    } finally {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
      if (exitWithParent) process.stdin.destroy();
    }
    return ExitCode.done;
  },
});
