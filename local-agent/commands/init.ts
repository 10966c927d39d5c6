import path from 'node:path';
import { z } from 'zod';
import { readCliEnv } from '../cli-env.ts';
import type { Check } from '../doctor-check.ts';
import { runDoctor } from '../doctor.ts';
import { ExitCode, UsageError } from '../exit-codes.ts';
import { type DeployedStack, readDeployedStack } from '../init-from-stack.ts';
import { type InitReport, initEmployee } from '../init.ts';
import { readStackFile } from '../init-stack-file.ts';
import { type NextStep, nextSteps } from '../next-steps.ts';
import type { Style } from '../output.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand } from './command.ts';

const Input = z.object({
  stackFile: z.string().optional(),
  fromStack: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'the name of a stack is letters, digits and "-"')
    .optional(),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region is named like eu-west-1')
    .optional(),
  profile: z.string().min(1).optional(),
  agentProfile: z.string().min(1).optional(),
  agent: z.string().optional(),
  adopt: z.boolean().default(false),
});

/** `employee init`: keys, config, the ledger's first entry and the vault. */
export const initCommand = defineCommand({
  name: 'init',
  summary: 'set up keys, config, ledger and vault; safe to run again',
  options: [
    ['--from-stack <name>', 'the deployed stack, such as ai-employee-dev: its outputs are read from AWS'],
    ['--region <region>', 'where it is deployed (default: the region of the profile or AWS_REGION)'],
    [
      '--profile <profile>',
      "the owner's AWS profile, who reads the stack and writes the cloud zone's secret",
    ],
    ['--agent-profile <profile>', "the AWS profile of the agent's role (default: what --profile says)"],
    ['--stack-file <file>', 'what the stack is, instead: written by the local cloud'],
    ['--agent <name>', "this machine's name in the ledger (default: its host name)"],
    ['--adopt', 'take a folder that already holds files and is no Obsidian vault'],
  ],
  examples: [
    'employee init --from-stack ai-employee-dev --region eu-west-1 --profile owner --vault ~/Vault',
    'employee init --from-stack ai-employee-dev --profile owner --agent-profile ai-employee-dev-agent',
    'employee init --stack-file .local-cloud/stack.json --vault ~/Vault',
  ],
  input: Input,
  async run(input, { location, out, cwd }) {
    const { agent, adopt } = input;
    const deployed = await deployedStack(input);
    const report = await initEmployee(
      {
        stack: deployed?.access ?? (await readStackFile(path.resolve(cwd, input.stackFile ?? ''))),
        configFile: location.configFile,
        vault: location.vault,
        agent,
        adopt,
      },
      (line) => out.log(line),
    );
    if (!deployed) {
      out.result(report, (style) => readyText(report, style));
      return ExitCode.done;
    }
    const checks = await runDoctor(location);
    const steps = nextSteps(deployed);
    out.result({ ...report, checks, nextSteps: steps }, (style) =>
      [readyText(report, style), problemsText(checks, style), stepsText(steps, style)].join('\n'),
    );
    return checks.every(({ ok }) => ok) ? ExitCode.done : ExitCode.failed;
  },
});

async function deployedStack(input: z.output<typeof Input>): Promise<DeployedStack | undefined> {
  const { stackFile, fromStack: name, region, profile, agentProfile } = input;
  if ((stackFile === undefined) === (name === undefined)) {
    throw new UsageError(
      'init needs to know the stack: --from-stack NAME for one in AWS, or --stack-file FILE. "npm start" makes a file and runs init by itself',
    );
  }
  if (name === undefined) {
    const without = Object.entries({ region, profile, 'agent-profile': agentProfile });
    for (const [option, value] of without) {
      if (value !== undefined) throw new UsageError(`--${option} goes with --from-stack`);
    }
    return undefined;
  }
  const { awsProfile, cloudFormationEndpoint: endpoint } = readCliEnv(process.env);
  return readDeployedStack({ name, region, profile: profile ?? awsProfile, agentProfile, endpoint });
}

function readyText(report: InitReport, style: Style): string {
  const made = report.made.length === 0 ? 'everything was there already' : `made: ${report.made.join(', ')}`;
  return [
    `${style.good('ready')}  ${made}`,
    `  config  ${report.configFile}`,
    `  keys    ${report.keysFile}  ${style.warn('keep a backup: without them the vault cannot be read')}`,
    `  vault   ${report.vault}`,
    `  agent   ${report.agent}, ledger at entry ${report.head}`,
    ...report.starterFiles.map((file) => style.dim(`  + ${file}`)),
  ].join('\n');
}

function problemsText(checks: readonly Check[], style: Style): string {
  const problems = checks.filter(({ ok }) => !ok);
  if (problems.length === 0) return `${style.good('checked')}  ${checks.length} things, all in order`;
  return problems
    .map(({ name, detail, fix }) => `${style.bad('problem')}  ${name}  ${visibleLine(detail)}\n  fix: ${fix}`)
    .join('\n');
}

function stepsText(steps: readonly NextStep[], style: Style): string {
  const texts = steps.map(({ title, lines }, index) =>
    [`${style.bold(`${index + 1}. ${title}`)}`, ...lines.map((line) => `   ${line}`)].join('\n'),
  );
  return ['', 'What comes next:', ...texts].join('\n');
}
