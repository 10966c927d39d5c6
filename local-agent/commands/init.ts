import path from 'node:path';
import { z } from 'zod';
import { ExitCode, UsageError } from '../exit-codes.ts';
import { initEmployee } from '../init.ts';
import { readStackFile } from '../init-stack-file.ts';
import { defineCommand } from './command.ts';

/** `employee init`: keys, config, the ledger's first entry and the vault. */
export const initCommand = defineCommand({
  name: 'init',
  summary: 'set up keys, config, ledger and vault; safe to run again',
  options: [
    ['--stack-file <file>', 'what the stack is: written by the local cloud'],
    ['--agent <name>', "this machine's name in the ledger (default: its host name)"],
    ['--adopt', 'take a folder that already holds files and is no Obsidian vault'],
  ],
  examples: [
    'employee init --stack-file .local-cloud/stack.json --vault ~/Vault',
    'employee init --stack-file stack.json --vault ~/Obsidian --config ~/.config/ai-employee/employee.json --agent laptop',
  ],
  input: z.object({
    stackFile: z.string().optional(),
    agent: z.string().optional(),
    adopt: z.boolean().default(false),
  }),
  async run({ stackFile, agent, adopt }, { location, out, cwd }) {
    if (stackFile === undefined) {
      throw new UsageError(
        'init needs to know the stack: name its description with --stack-file FILE. "npm start" makes one and runs init by itself',
      );
    }
    const report = await initEmployee(
      {
        stack: await readStackFile(path.resolve(cwd, stackFile)),
        configFile: location.configFile,
        vault: location.vault,
        agent,
        adopt,
      },
      (line) => out.log(line),
    );
    out.result(report, (style) => {
      const made =
        report.made.length === 0 ? 'everything was there already' : `made: ${report.made.join(', ')}`;
      return [
        `${style.good('ready')}  ${made}`,
        `  config  ${report.configFile}`,
        `  keys    ${report.keysFile}  ${style.warn('keep a backup: without them the vault cannot be read')}`,
        `  vault   ${report.vault}`,
        `  agent   ${report.agent}, ledger at entry ${report.head}`,
        ...report.starterFiles.map((file) => style.dim(`  + ${file}`)),
      ].join('\n');
    });
    return ExitCode.done;
  },
});
