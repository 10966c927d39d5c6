import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMachine } from '#test/support/owner-machines.ts';
import type { OwnerMachine } from '#test/support/owner-machines.ts';
import { createOwnersMachine } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';

let machine: OwnersMachine;
let desktop: OwnerMachine;

beforeAll(async () => {
  machine = await createOwnersMachine();
  expect(await machine.init()).toMatchObject({ status: 0 });
  const { configFile, vault, folder } = machine;
  const { agent } = (await machine.json(configFile)) as { agent: string };
  desktop = {
    name: 'desktop',
    configFile: path.join(folder, 'desktop', 'employee.json'),
    vault: path.join(folder, 'desktop-vault'),
  };
  await addMachine({ name: agent, configFile, vault }, desktop);
}, 60_000);
afterAll(() => machine.dispose());

/** Runs a command with `--json`, here or on the desktop, and reads its one document. */
async function json(status: number, ...args: string[]): Promise<unknown> {
  const said = await machine.employee(...args, '--json');
  expect(said, said.stderr).toMatchObject({ status });
  expect(said.stdout.endsWith('\n') && !said.stdout.trimEnd().includes('\n')).toBe(true);
  return JSON.parse(said.stdout);
}

/** Both change the same line; the desktop comes second. @returns the path of the copy. */
async function conflictAbout(name: string): Promise<string> {
  const there = ['--config', desktop.configFile];
  await writeFile(path.join(machine.vault, name), 'before\n');
  await json(0, 'sync');
  await json(0, 'sync', ...there);
  await writeFile(path.join(machine.vault, name), 'here\n');
  await writeFile(path.join(desktop.vault, name), 'there, longer\n');
  await json(0, 'sync');
  const { conflicts } = (await json(0, 'sync', ...there)) as { conflicts: string[] };
  expect(conflicts).toHaveLength(1);
  await json(0, 'sync');
  return conflicts[0] ?? '';
}

const text = (name: string): Promise<string> =>
  readFile(path.join(machine.vault, ...name.split('/')), 'utf8');

describe('employee conflicts', () => {
  it('says that there are none', async () => {
    expect(await machine.employee('conflicts')).toMatchObject({ status: 0, stdout: 'no conflicts\n' });
    expect(await json(0, 'conflicts')).toEqual({ conflicts: [] });
  }, 40_000);

  it('lists them with file, copy, machine, time and sizes, and ends with 3; status counts them', async () => {
    const copy = await conflictAbout('plan.md');
    expect(await json(3, 'conflicts')).toMatchObject({
      conflicts: [
        {
          path: 'plan.md',
          copy,
          writer: 'desktop',
          isOurs: false,
          kept: { sizeBytes: 14 },
          standing: { sizeBytes: 5 },
        },
      ],
    });
    const { status, stdout } = await machine.employee('conflicts');
    expect(status).toBe(3);
    const [head, line] = stdout.split('\n');
    expect(head).toMatch(/^FILE +COPY +COPY IS OF +SINCE \(UTC\) +COPY SIZE +FILE SIZE$/);
    expect(line).toMatch(
      /^plan\.md +Conflicts\/plan \(desktop [0-9a-f]{8}\)\.md +desktop +\d{4}-\d\d-\d\d \d\d:\d\d +14 B +5 B$/,
    );
    expect(stdout).toContain('employee conflicts resolve FILE --ours');
    expect((await machine.employee('status')).stdout).toContain('1 to settle');

    const settled = await machine.employee('conflicts', 'resolve', 'plan.md', '--theirs');
    expect(settled).toMatchObject({ status: 0 });
    expect(settled.stdout).toContain(`plan.md has the bytes of ${copy} (of desktop) now; the copy is gone`);
    expect(settled.stdout).toMatch(/the other version stays in the ledger: entry \d+, SHA-256/);
    expect(await text('plan.md')).toBe('there, longer\n');
    await expect(text(copy)).rejects.toThrow('ENOENT');
    expect(await json(0, 'conflicts')).toEqual({ conflicts: [] });
    expect(await json(0, 'verify')).toMatchObject({ ok: true });
  }, 60_000);

  it('keeps both where that is wanted', async () => {
    const copy = await conflictAbout('both.md');
    expect(await json(0, 'conflicts', 'resolve', copy, '--both')).toMatchObject({
      path: 'both.md',
      copy,
      chosen: 'both',
      superseded: null,
    });
    expect([await text('both.md'), await text(copy)]).toEqual(['here\n', 'there, longer\n']);
  }, 60_000);

  it.each([
    [['conflicts', 'resolve'], 'name one file and one choice'],
    [['conflicts', 'resolve', 'plan.md'], 'name one file and one choice'],
    [['conflicts', 'resolve', 'plan.md', '--ours', '--both'], 'name one file and one choice'],
    [['conflicts', '--ours'], 'name the file'],
    [['conflicts', 'settle', 'plan.md'], 'is "resolve", or nothing'],
    [['conflicts', 'resolve', 'none.md', '--ours'], 'there is no open conflict about "none.md"'],
  ])(
    'refuses %j and says how it is meant',
    async (args, words) => {
      const said = await machine.employee(...args);
      expect(said.status).toBe(2);
      expect(said.stderr).toContain(words);
    },
    40_000,
  );
});
