import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClients } from '#adapters/aws-clients.ts';
import { createDynamoLedgerStore } from '#adapters/dynamodb-ledger-store.ts';
import { randomIds } from '#adapters/random-ids.ts';
import { systemClock } from '#adapters/system-clock.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { Said } from './employee-process.ts';
import { createOwnersMachine } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';

let machine: OwnersMachine;
beforeAll(async () => {
  machine = await createOwnersMachine();
  expect(await machine.init()).toMatchObject({ status: 0 });
  await machine.draft('lunch');
  await writeFile(path.join(machine.vault, 'Plan.md'), 'the plan');
  expect(await machine.employee('sync')).toMatchObject({ status: 0 });
});
afterAll(() => machine.dispose());

interface Answer {
  readonly ok: boolean;
  readonly planned: readonly { readonly code: string; readonly what: string }[];
  readonly done: readonly { readonly code: string }[];
}

async function repair(...args: string[]): Promise<{ said: Said; answer: Answer }> {
  const said = await machine.employee('repair', ...args, '--json');
  return { said, answer: JSON.parse(said.stdout) as Answer };
}

/** Lets the cloud zone write what only the owner may. */
async function incident(): Promise<number> {
  const { vaultId, writer, signing, keyring, root } = await machine.secret();
  const clients = createClients(machine.emulators.clientOptions('Draft'));
  const ledger = createDynamoLedgerStore(clients.dynamodb, 'ledger');
  const ports = { ledger, clock: systemClock, ids: randomIds };
  const session = new LedgerSession({ vaultId, writer, signingKey: signing, keyring }, root, ports);
  await session.pull();
  const [taskId = ''] = session.state.tasks.keys();
  const outcome = await session.append(() => ({
    body: { kind: 'task', changes: [{ taskId, epoch: 5, event: 'succeeded' }] },
  }));
  clients.destroy();
  if (!outcome.appended) throw new Error('nothing was appended');
  return outcome.entry.n;
}

describe('employee repair', () => {
  it('says first what it would do, with 3, and does it with --yes', { timeout: 60_000 }, async () => {
    await rm(path.join(machine.vault, 'Plan.md'));
    const verify = await machine.employee('verify');
    expect(verify).toMatchObject({ status: 1 });
    expect(verify.stdout).toMatch(/vault-missing {2}Plan\.md: .*\n.*do: "employee sync" takes or undoes it/);
    const plan = await machine.employee('repair');
    expect(plan).toMatchObject({ status: 3 });
    expect(plan.stdout).toContain('1. bring back 1 file from the ledger');
    expect(plan.stdout).toContain('nothing was changed; "employee repair --yes" carries this out');
    expect(existsSync(path.join(machine.vault, 'Plan.md'))).toBe(false);

    const { said, answer } = await repair('--yes');
    expect(said).toMatchObject({ status: 0 });
    expect(answer).toMatchObject({ ok: true, planned: [], done: [{ code: 'vault-files' }] });
    expect(await readFile(path.join(machine.vault, 'Plan.md'), 'utf8')).toBe('the plan');
    expect(await machine.employee('verify')).toMatchObject({ status: 0 });
    const again = await machine.employee('repair', '--yes');
    expect(again).toMatchObject({ status: 0 });
    expect(again.stdout).toContain('nothing to mend');
    expect((await machine.employee('audit')).stdout).toContain('bring back 1 file');
  });

  it(
    'rebuilds a copy with which no other command works, and keeps the damaged one',
    { timeout: 60_000 },
    async () => {
      const file = path.join(path.dirname(machine.configFile), 'ledger.db');
      for (const end of ['-wal', '-shm']) await rm(`${file}${end}`, { force: true });
      await writeFile(file, 'this is no database '.repeat(500));
      expect((await machine.employee('status')).status).not.toBe(0);
      const doctor = await machine.employee('doctor');
      expect(doctor).toMatchObject({ status: 1 });
      expect(doctor.stdout).toMatch(/ledger copy .*damaged[^]*"employee repair --yes"/);
      const plan = await repair();
      expect(plan.said).toMatchObject({ status: 3 });
      expect(plan.answer).toMatchObject({ ok: false, planned: [{ code: 'copy' }] });

      const { said, answer } = await repair('--yes');
      expect(said).toMatchObject({ status: 0 });
      expect(answer.done.map(({ code }) => code)).toContain('copy');
      const kept = (await readdir(path.dirname(file))).filter((name) =>
        name.startsWith('ledger.db.damaged-'),
      );
      expect(kept).toHaveLength(1);
      expect(await machine.employee('verify')).toMatchObject({ status: 0 });
      expect(await machine.employee('sync', '--json')).toMatchObject({ status: 0 });
    },
  );

  it('brings a lost vault back only into the folder that is named', { timeout: 60_000 }, async () => {
    await rm(machine.vault, { recursive: true });
    const lost = await machine.employee('repair', '--yes');
    expect(lost).toMatchObject({ status: 1 });
    expect(lost.stdout).toContain(`"employee repair --restore-vault ${machine.vault}" brings it back`);
    const other = await machine.employee('repair', '--yes', '--restore-vault', machine.folder);
    expect(other).toMatchObject({ status: 2 });
    const { said, answer } = await repair('--yes', '--restore-vault', machine.vault);
    expect(said).toMatchObject({ status: 0 });
    expect(answer.done).toMatchObject([{ code: 'vault' }]);
    expect(await readFile(path.join(machine.vault, 'Plan.md'), 'utf8')).toBe('the plan');
    expect(await machine.employee('verify')).toMatchObject({ status: 0 });
  });
});

describe('employee incidents', () => {
  it(
    'lists what was refused; what a person acknowledged fails nothing any more',
    { timeout: 60_000 },
    async () => {
      const n = await incident();
      expect(await machine.employee('sync')).toMatchObject({ status: 1 });
      expect(await machine.employee('verify')).toMatchObject({ status: 1 });
      const status = await machine.employee('status');
      expect(status).toMatchObject({ status: 1 });
      expect(status.stdout).toContain(`incident entry ${n} by cloud`);
      expect(await machine.employee('incidents')).toMatchObject({ status: 1 });
      const bare = await machine.employee('incidents', 'acknowledge', String(n));
      expect(bare).toMatchObject({ status: 2 });
      expect(bare.stderr).toContain('--reason');
      const wrong = await machine.employee('incidents', 'acknowledge', '1', '--reason', 'x');
      expect(wrong).toMatchObject({ status: 2 });
      expect(wrong.stderr).toContain('entry 1 is no refused entry');
      expect(await machine.employee('incidents', 'forget', String(n))).toMatchObject({ status: 2 });

      const done = await machine.employee('incidents', 'acknowledge', `${n}`, '--reason', 'a test', '--json');
      expect(done).toMatchObject({ status: 0, stdout: `{"acknowledged":[${n}]}\n` });
      expect(await machine.employee('incidents')).toMatchObject({ status: 0 });
      expect((await machine.employee('status')).stdout).toContain('1 incident, acknowledged');
      const verify = await machine.employee('verify');
      expect(verify).toMatchObject({ status: 0 });
      expect(verify.stdout).toMatch(new RegExp(`acknowledged {2}entry ${n}: .*acknowledged by a person`));
    },
  );
});

describe('what is withheld', () => {
  it(
    'is listed by status and doctor with the reason, and told by sync once',
    { timeout: 60_000 },
    async () => {
      await writeFile(path.join(machine.vault, 'Tokenomics.md'), 'a paper');
      await writeFile(path.join(machine.vault, 'Session notes.md'), 'notes');
      const first = await machine.employee('sync');
      expect(first.stdout).toContain('stays on this machine: Tokenomics.md (its name holds the word "token"');
      const second = await machine.employee('sync');
      expect(second.stdout).not.toContain('Tokenomics');
      const { stdout } = await machine.employee('status');
      expect(stdout).toContain('withheld 2 files stay on this machine, in no backup');
      expect(stdout).toMatch(/word "token".*\n\s+Tokenomics\.md/);
      expect((await machine.employee('doctor')).stdout).toMatch(/withheld +2 files .*Tokenomics\.md/);
      const json = JSON.parse((await machine.employee('status', '--json')).stdout) as { withheld: unknown[] };
      expect(json.withheld).toHaveLength(2);
      await rm(path.join(machine.vault, 'Tokenomics.md'));
      await machine.employee('sync');
      expect((await machine.employee('status')).stdout).toContain('withheld 1 file stays on this machine');
    },
  );
});

it('status says that the vault is not there, and fails for it', { timeout: 60_000 }, async () => {
  const elsewhere = path.join(machine.vault, 'not', 'here');
  const status = await machine.employee('status', '--vault', elsewhere);
  expect(status).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('Is its disk mounted?') as string,
  });
});

it('an argument that is none is named as such, not as an option', async () => {
  const { status, stderr } = await machine.employee('incidents', 'forget');
  expect({ status, stderr }).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('error: action: is "acknowledge", or nothing') as string,
  });
});

it.each(['verify', 'repair', 'incidents'])('%s has help with examples', async (command) => {
  const help = await machine.employee(command, '--help');
  expect(help).toMatchObject({ status: 0 });
  expect(help.stdout).toContain(`Examples:\n  employee ${command}`);
});
