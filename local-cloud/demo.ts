import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outputPaths, repositoryDir } from '#infra/paths.ts';
import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { agentPaths, initialiseAgent } from './agent-process.ts';
import { createSteps, DemoFailed, hold } from './demo-steps.ts';
import { runEmployee } from './employee-command.ts';
import type { SentMail } from './emulators/ses-outbox.ts';
import { startLocalCloud, type LocalCloud } from './local-cloud.ts';
import { decodedText, headerOf, headersOf } from './mail-headers.ts';

const HELP = `npm run demo [-- --keep]: the whole way of a mail on this machine, unattended

Starts the stacks, sends three mails (one to answer, one newsletter, one with injected orders), approves a draft and
lets it be sent, tampers with an approved note, and proves the ledger. Exit 0 only if every step held.

  --keep   leave the demo's folder (vault, outbox, ledger) for a look
`;

const Items = z.array(
  z.object({
    taskId: z.string(),
    short: z.string(),
    state: z.string(),
    subject: z.string(),
    from: z.string(),
    warnings: z.array(z.string()),
    path: z.string().optional(),
    why: z.string().optional(),
  }),
);
type Item = z.infer<typeof Items>[number];
const Shown = z.object({
  text: z.string(),
  actions: z.array(z.object({ to: z.array(z.string()), text: z.string() })),
});
const Executed = z.object({
  executed: z.array(z.object({ outcome: z.string() })),
  refused: z.array(z.object({ why: z.string() })),
});
const Verified = z.object({ ok: z.boolean(), entries: z.number() });
const Trail = z.array(z.object({ n: z.number(), writer: z.string(), what: z.string() }));

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !['--keep', '--help', '-h'].includes(arg));
  if (unknown !== undefined || args.includes('--help') || args.includes('-h')) {
    (unknown === undefined ? process.stdout : process.stderr).write(
      unknown === undefined ? HELP : `unknown option ${unknown}\n\n${HELP}`,
    );
    return unknown === undefined ? 0 : 2;
  }
  const dir = mkdtempSync(join(tmpdir(), 'ai-employee-demo-'));
  const closers: (() => Promise<void>)[] = [];
  // Ctrl-C ends what was started and removes what was made, as any end does.
  process.once('SIGINT', () => void cleanUp().then(() => process.exit(130)));
  async function cleanUp(): Promise<void> {
    for (const close of closers.splice(0).reverse()) await close();
    if (!args.includes('--keep')) rmSync(dir, { recursive: true, force: true });
  }
  try {
    const steps = await play(dir, closers);
    say(`\nall ${steps} steps held${args.includes('--keep') ? `; look around in ${dir}` : ''}`);
    return 0;
  } catch (error) {
    if (!(error instanceof DemoFailed)) throw error;
    process.stderr.write(`\nthe demo failed: ${error.message}\n`);
    return 1;
  } finally {
    await cleanUp();
  }
}

async function play(dir: string, closers: (() => Promise<void>)[]): Promise<number> {
  const steps = createSteps(say);
  const step: typeof steps.step = (...args) => steps.step(...args);
  const { vault, config } = agentPaths(dir);
  const outbox: SentMail[] = [];

  await step('build the functions and synthesize the stacks', buildAssembly, (line) => line);
  const cloud = await step('start the stacks on this machine', async () => {
    const started = await startLocalCloud({
      assemblyDir: outputPaths.assemblyDir,
      outboxDir: join(dir, 'outbox'),
      verdictsFile: join(repositoryDir, 'examples', 'mail', 'verdicts.json'),
      onSent: (mail) => outbox.push(mail),
    });
    closers.push(() => started.close());
    return started;
  });
  await step('set up the owner: keys, vault, first entry of the ledger', () => initialise(dir, cloud));

  await step('three mails come in over SMTP', async () => {
    for (const file of ['question.eml', 'newsletter.eml', 'prompt-injection.eml'])
      await sendMail(cloud, file);
  });
  const tasks = await step(
    'the cloud triages and drafts; the vault follows',
    async () => {
      await cloud.settle();
      await employee(config, 0, 'sync');
      return Items.parse(await employee(config, 0, 'inbox', '--all'));
    },
    (items) => items.map((item) => `${item.short}  ${item.state.padEnd(16)}  ${item.subject}`).join('\n'),
  );
  const question = taskOf(tasks, (item) => item.state === 'pending_approval' && item.warnings.length === 0);
  const injection = taskOf(tasks, (item) => item.warnings.includes('injection-suspected'));
  const newsletter = taskOf(tasks, (item) => item.state === 'ignored');
  await step(
    'the newsletter is left alone, with a reason',
    () => Promise.resolve(newsletter.why ?? ''),
    (why) => why,
  );

  const draft = await step(
    'the draft, as it would be sent',
    async () => {
      const [action] = Shown.parse(await employee(config, 0, 'show', question.taskId)).actions;
      if (!action) throw new DemoFailed('there is no draft');
      return action;
    },
    ({ to, text }) => `to ${to.join(', ')}\n| ${text.replaceAll('\n', '\n| ')}`,
  );
  await step('the owner approves these bytes', () => employee(config, 0, 'approve', question.taskId));
  await step('the agent sends them', async () => {
    const { executed } = Executed.parse(await employee(config, 0, 'execute'));
    hold(executed.length === 1 && executed[0]?.outcome === 'succeeded', 'the approved mail was not sent');
  });
  await step(
    'the mail that went out',
    () => Promise.resolve(checkSent(outbox, draft)),
    (headers) => headers,
  );

  await step('the owner approves the answer to the other mail', () =>
    employee(config, 0, 'approve', injection.taskId),
  );
  await step(
    'somebody changes its recipient afterwards: refused, exit 3',
    async () => {
      tamper(vault, injection);
      const { refused } = Executed.parse(await employee(config, 3, 'execute'));
      hold(outbox.length === 1, 'a mail that nobody approved went out');
      return refused.map(({ why }) => why).join('\n');
    },
    (why) => why,
  );
  await step('the owner rejects it', () =>
    employee(config, 0, 'reject', injection.taskId, '--reason', 'not what I wrote'),
  );
  await step(
    'the ledger proves all of it',
    async () => Verified.parse(await employee(config, 0, 'verify')),
    ({ entries }) => `${entries} entries, chain, signatures and vault in order`,
  );
  await step(
    'the trail of the answered mail',
    async () => Trail.parse(await employee(config, 0, 'audit', question.taskId)),
    (lines) => lines.map(({ n, writer, what }) => `${n}  ${writer}: ${what}`).join('\n'),
  );
  return steps.count();
}

function initialise(dir: string, cloud: LocalCloud): Promise<void> {
  const { region, endpoints, outputs } = cloud;
  return initialiseAgent({ stateDir: dir, region, endpoints, outputs, log: () => undefined });
}

async function employee(config: string, expected: number, ...args: string[]): Promise<unknown> {
  const { code, json, stderr } = await runEmployee(config, ...args);
  if (code === expected) return json;
  throw new DemoFailed(
    `employee ${args.join(' ')} ended with ${code}, not ${expected}: ${JSON.stringify(json)} ${stderr}`,
  );
}

async function sendMail(cloud: LocalCloud, file: string): Promise<void> {
  const raw = readFileSync(join(repositoryDir, 'examples', 'mail', file));
  const from = /^Return-Path: <([^>]*)>/.exec(raw.toString('latin1'))?.[1] ?? '';
  const transport = createTransport({
    host: '127.0.0.1',
    port: Number(cloud.smtp.split(':')[1]),
    ignoreTLS: true,
  });
  const [to] = cloud.plan.receiptRules.flatMap(({ recipients }) => recipients);
  await transport.sendMail({ envelope: { from, to: [to ?? ''] }, raw });
  transport.close();
}

/** The threading headers of the one mail that went out; its text has to be the draft, to the byte. */
function checkSent(
  outbox: readonly SentMail[],
  draft: { readonly to: string[]; readonly text: string },
): string {
  const [mail, ...more] = outbox;
  if (!mail || more.length > 0) throw new DemoFailed(`${outbox.length} mails went out, not one`);
  hold(mail.destinations.join() === draft.to.join(), 'it went to somebody else');
  const headers = headersOf(readFileSync(mail.file));
  const shown = ['From', 'To', 'Subject', 'In-Reply-To', 'References'].map((name) => {
    const value = headerOf(headers, name);
    hold(value !== undefined, `the sent mail has no ${name}`);
    return `${name}: ${decodedText(value ?? '').replace(/\s+/g, ' ')}`;
  });
  return shown.join('\n');
}

function tamper(vault: string, task: Item): void {
  const note = join(vault, (task.path ?? '').replace('Pending_Approval', 'Approved'));
  const text = readFileSync(note, 'utf8');
  const changed = text.replace(/^( +- ).+@.+$/m, '$1attacker@evil.example');
  hold(changed !== text, 'the note names no recipient');
  writeFileSync(note, changed);
}

function taskOf(items: readonly Item[], fits: (item: Item) => boolean): Item {
  const found = items.find(fits);
  if (!found) throw new DemoFailed(`not found among the tasks: ${JSON.stringify(items)}`);
  return found;
}

function buildAssembly(): Promise<string> {
  const built = spawnSync(process.execPath, [join(repositoryDir, 'infra', 'synth.ts')], { encoding: 'utf8' });
  hold(built.status === 0, `the stacks could not be built: ${built.stdout}${built.stderr}`);
  return Promise.resolve(built.stdout.trim());
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
