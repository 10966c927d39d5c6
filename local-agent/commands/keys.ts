import path from 'node:path';
import { z } from 'zod';
import { readCliEnv } from '../cli-env.ts';
import { readConfig } from '../config.ts';
import { ExitCode, UsageError } from '../exit-codes.ts';
import { exportKeys, importKeys } from '../hand-over-keys.ts';
import { readStackFile } from '../init-stack-file.ts';
import { keysFileOf } from '../keys.ts';
import { keysStatus } from '../keys-status.ts';
import { keysText, rotatedText } from '../keys-text.ts';
import { createKeyStore } from '../key-store.ts';
import { acquireLock } from '../lock.ts';
import { folderOfState } from '../open-agent.ts';
import { withOwnedSecret } from '../owned-secret.ts';
import { readyToRotate, rotateKeys } from '../rotate-keys.ts';
import { rotationPlan } from '../rotation-plan.ts';
import { defineCommand, withAgent } from './command.ts';
import type { CommandContext } from './command.ts';

const Input = z.object({
  action: z
    .enum(['status', 'rotate', 'export', 'import'], 'is "rotate", "export", "import", or nothing to see them')
    .default('status'),
  file: z.string().min(1).optional(),
  compromised: z.boolean().default(false),
  without: z.array(z.string()).default([]),
  yes: z.boolean().default(false),
  profile: z.string().min(1).optional(),
  stackFile: z.string().optional(),
});
type Input = z.output<typeof Input>;

/** `employee keys`: which vault keys are in force; new ones; and how they get to another machine. */
export const keysCommand = defineCommand({
  name: 'keys',
  summary: 'the vault keys in force; "rotate" makes new ones, a plan first, --yes acts',
  args: [
    ['[action]', '"rotate", "export", "import", or nothing to see which keys are in force'],
    ['[file]', 'what export writes and import reads'],
  ],
  options: [
    ['--yes', 'rotate: carry the plan out'],
    ['--compromised', 'rotate: others may have the keys; everything stored is sealed anew'],
    ['--without <machine...>', 'rotate --compromised: machines that are not yours any more'],
    ['--profile <profile>', "rotate: the owner's AWS profile, who writes the cloud zone's secret"],
    ['--stack-file <file>', 'rotate: of a local cloud, instead'],
  ],
  examples: [
    'employee keys',
    'employee keys rotate --profile owner --yes',
    'employee keys rotate --stack-file .local-cloud/stack.json --yes',
    'employee keys rotate --compromised --without laptop --profile owner --yes',
    'employee keys export ~/keys-for-desktop.json',
    'employee keys import ~/keys-for-desktop.json',
  ],
  input: Input,
  async run(input, context) {
    if (input.action === 'status') return status(context);
    return input.action === 'rotate' ? rotate(input, context) : handOver(input, context);
  },
});

async function status(context: CommandContext): Promise<ExitCode> {
  const found = await withAgent(context, async (agent) => {
    await agent.session.pull();
    return keysStatus(agent);
  });
  if (!found) throw new UsageError('the vault was not set up yet: run "employee init"');
  context.out.result(found, (style) => keysText(found, style));
  return found.unfinished === undefined ? ExitCode.done : ExitCode.person;
}

async function rotate(input: Input, context: CommandContext): Promise<ExitCode> {
  const { compromised, without, yes, profile, stackFile } = input;
  const { location, out, cwd } = context;
  if (input.file !== undefined) throw new UsageError('rotate takes no file');
  if (without.length > 0 && !compromised) throw new UsageError('--without goes with --compromised');
  const request = compromised ? { compromised: { without } } : {};
  const config = await readConfig(location.configFile);
  const owner = {
    profile: profile ?? readCliEnv(process.env).awsProfile,
    ...(stackFile === undefined ? {} : { stackFile: await readStackFile(path.resolve(cwd, stackFile)) }),
  };
  return withAgent(context, async (agent) => {
    if (!yes) {
      await readyToRotate(agent);
      const plan = rotationPlan(agent, request);
      out.result({ plan, rotated: [] }, () =>
        [...plan, 'nothing was changed; the same with --yes carries this out'].join('\n'),
      );
      return ExitCode.person;
    }
    const say = (line: string): void => out.log(line);
    const keyStore = createKeyStore(keysFileOf(location.configFile));
    const rotated = await withOwnedSecret(config, owner, (secret) =>
      rotateKeys({ agent: { ...agent, keyStore }, secret, say }, request),
    );
    out.result({ rotated }, (style) => rotated.map((report) => rotatedText(report, style)).join('\n'));
    return ExitCode.done;
  });
}

async function handOver({ action, file }: Input, context: CommandContext): Promise<ExitCode> {
  const { location, out, cwd } = context;
  if (file === undefined) throw new UsageError(`name the file: employee keys ${action} FILE`);
  const place = path.resolve(cwd, file);
  const config = await readConfig(location.configFile);
  if (action === 'export') {
    const keyEpochs = await exportKeys(location.configFile, config, place);
    out.result({ file: place, keyEpochs }, (style) =>
      [
        `${style.good('written')}  key epochs ${keyEpochs.join(', ')} and the approver's key: ${place}`,
        style.warn(
          'whoever has this file reads the vault and approves: carry it yourself, import it, delete it',
        ),
      ].join('\n'),
    );
    return ExitCode.done;
  }
  const lock = await acquireLock(folderOfState(location.configFile), (line) => out.log(line));
  try {
    const keyEpochs = await importKeys(location.configFile, config, place);
    out.result({ file: place, keyEpochs }, (style) =>
      keyEpochs.length === 0
        ? 'these keys are here already'
        : `${style.good('taken over')}  key epochs ${keyEpochs.join(', ')}; now delete ${place}`,
    );
  } finally {
    lock.release();
  }
  return ExitCode.done;
}
