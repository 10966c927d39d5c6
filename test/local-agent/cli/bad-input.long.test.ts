import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOwnersMachine } from './owners-machine.ts';
import type { OwnersMachine } from './owners-machine.ts';
import { employee } from './employee-process.ts';
import type { Said } from './employee-process.ts';

let machine: OwnersMachine;
let taskId: string;
beforeAll(async () => {
  machine = await createOwnersMachine();
  expect(await machine.init()).toMatchObject({ status: 0 });
  taskId = await machine.draft('lunch');
  await machine.draft('dinner');
  expect(await machine.employee('sync')).toMatchObject({ status: 0 });
}, 60_000);
afterAll(() => machine.dispose());

/** Said wrong, in words: the status, each of the words on stderr, nothing on stdout, and no trace. */
function expectWords(said: Said, status: number, words: readonly string[]): void {
  expect({ status: said.status, stdout: said.stdout }).toEqual({ status, stdout: '' });
  for (const word of words) expect(said.stderr).toContain(word);
  expect(said.stderr).not.toMatch(/^\s+at |node:internal|\.ts:\d+/m);
}

/** The same as JSON: one document with a code and a message with each of the words, and no trace anywhere. */
function expectJson(said: Said, status: number, code: string, words: readonly string[]): void {
  expect(said.status).toBe(status);
  const document = JSON.parse(said.stdout) as { error: { code: string; message: string } };
  expect(document).toEqual({ error: { code, message: expect.any(String) as string } });
  for (const word of words) expect(document.error.message).toContain(word);
  expect(said.stdout.trimEnd()).not.toContain('\n');
  expect(`${said.stdout}${said.stderr}`).not.toMatch(/^\s+at |node:internal/m);
}

interface BadCase {
  readonly name: string;
  readonly args: readonly string[];
  readonly status: number;
  readonly code: string;
  readonly words: readonly string[];
}

describe.concurrent('a command line that is wrong', () => {
  const cases: readonly BadCase[] = [
    { name: 'no command', args: [], status: 2, code: 'USAGE', words: ['say what to do', '--help'] },
    {
      name: 'an unknown command',
      args: ['inbx'],
      status: 2,
      code: 'USAGE',
      words: ["'inbx'", 'Did you mean inbox?'],
    },
    {
      name: 'an unknown option',
      args: ['inbox', '--al'],
      status: 2,
      code: 'USAGE',
      words: ["'--al'", '--all'],
    },
    { name: 'a missing argument', args: ['show'], status: 2, code: 'USAGE', words: ["'task'"] },
    {
      name: 'one argument too many',
      args: ['verify', 'x'],
      status: 2,
      code: 'USAGE',
      words: ['too many arguments'],
    },
    {
      name: 'an option without its value',
      args: ['inbox', '--config'],
      status: 2,
      code: 'USAGE',
      words: ['--config'],
    },
    {
      name: 'a rejection without a reason',
      args: ['reject', 't1'],
      status: 2,
      code: 'USAGE',
      words: ['--reason'],
    },
    {
      name: 'a digest that is none',
      args: ['approve', 't1', '--digest', 'zz'],
      status: 2,
      code: 'USAGE',
      words: ['--digest', 'hex'],
    },
    {
      name: 'a port that is none',
      args: ['run', '--port', '70000'],
      status: 2,
      code: 'USAGE',
      words: ['--port', '65535'],
    },
    {
      name: 'seconds that are none',
      args: ['execute', '--undo-seconds', 'x'],
      status: 2,
      code: 'USAGE',
      words: ['--undo-seconds'],
    },
    {
      name: 'init without a stack',
      args: ['init', '--vault', 'v'],
      status: 2,
      code: 'USAGE',
      words: ['--stack-file'],
    },
    {
      name: 'init with a stack file that is not there',
      args: ['init', '--stack-file', 'none.json', '--vault', 'v'],
      status: 2,
      code: 'STACK_FILE',
      words: ['none.json'],
    },
    {
      name: 'a config that is not there',
      args: ['inbox', '--config', 'none.json'],
      status: 2,
      code: 'CONFIG',
      words: ['none.json', 'employee init'],
    },
  ];
  it.for(cases)(
    '$name is answered with what is wrong and what to do',
    async ({ args, status, code, words }) => {
      const said = await employee(args, { cwd: machine.folder });
      expectWords(said, status, words);
      const inJson = [...args.slice(0, 1), '--json', ...args.slice(1)];
      expectJson(await employee(inJson, { cwd: machine.folder }), status, code, words);
    },
  );

  it('help is not an error', async () => {
    const said = await employee(['approve', '--help'], { cwd: machine.folder });
    expect(said).toMatchObject({ status: 0, stderr: '' });
    expect(said.stdout).toContain('Examples:');
  });
});

describe.concurrent('a config that is wrong', () => {
  const variants: readonly [name: string, change: (text: string) => string, word: string][] = [
    ['cut off in the middle', (text) => text.slice(0, 60), 'not JSON'],
    [
      'with a member of the wrong type',
      (text) => text.replace(/"pollMs": \d+/, '"pollMs": "often"'),
      'pollMs',
    ],
    ['with a member that nobody knows', (text) => text.replace('{', '{ "pollms": 1,'), 'pollms'],
    ['that lacks its vault', (text) => text.replace(/"vault": "[^"]*",/, ''), 'vault'],
    ['that is a list', () => '[]', 'expected object'],
  ];
  it.for(variants)('%s: the file and the place are named', async ([name, change, word]) => {
    const folder = path.join(machine.folder, `config ${name}`);
    await cp(path.dirname(machine.configFile), folder, { recursive: true });
    const file = path.join(folder, 'employee.json');
    await writeFile(file, change(await readFile(file, 'utf8')));
    const said = await employee(['inbox', '--config', file, '--json'], { cwd: machine.folder });
    expectJson(said, 2, 'CONFIG', [file, word]);
  });
});

describe.concurrent('keys that are wrong', () => {
  async function withKeys(name: string, change: (keysFile: string) => Promise<void>): Promise<string> {
    const folder = path.join(machine.folder, `keys ${name}`);
    await cp(path.dirname(machine.configFile), folder, { recursive: true });
    await change(path.join(folder, 'keys.json'));
    return path.join(folder, 'employee.json');
  }

  it('open to others: refused, with the command that mends it', async () => {
    const config = await withKeys('open', (file) => chmod(file, 0o644));
    expectWords(await employee(['inbox', '--config', config], { cwd: machine.folder }), 2, [
      '0644',
      'chmod 600',
    ]);
  });

  it('gone: the backup is asked for, and no new ones are made', async () => {
    const config = await withKeys('gone', (file) => rm(file));
    expectWords(await employee(['inbox', '--config', config], { cwd: machine.folder }), 2, [
      'no keys',
      'backup',
    ]);
    const again = ['init', '--stack-file', machine.stackFile, '--config', config];
    expectWords(await employee(again, { cwd: machine.folder }), 2, ['no keys', 'backup']);
    expect(await readdir(path.dirname(config))).not.toContain('keys.json');
  });

  it('damaged: nothing of them is shown', async () => {
    const secret = String(
      ((await machine.json(machine.keysFile))['approval'] as { privateKey: string }).privateKey,
    );
    for (const [name, change] of [
      ['cut', (text: string) => text.slice(0, -20)],
      ['short', (text: string) => text.replace(secret, secret.slice(1))],
    ] as const) {
      const config = await withKeys(name, async (file) =>
        writeFile(file, change(await readFile(file, 'utf8'))),
      );
      const said = await employee(['inbox', '--config', config], { cwd: machine.folder });
      expectWords(said, 2, ['keys.json', 'backup']);
      expect(said.stderr).not.toContain(secret.slice(1));
    }
  });
});

// One after the other: of two daemons on one config the second is refused for that alone.
describe('a vault that is no vault', () => {
  it.for([
    ['a folder that is not there', 'nowhere', () => Promise.resolve()],
    ['an empty folder', 'empty', (place: string) => mkdir(place)],
    ['a file', 'file', (place: string) => writeFile(place, 'x')],
    [
      'the vault of somebody else',
      'other',
      async (place: string) => {
        await mkdir(place);
        await writeFile(path.join(place, '.employee-vault'), '{"vaultId":"another"}');
      },
    ],
    [
      'one with a damaged mark',
      'damaged',
      async (place: string) => {
        await mkdir(place);
        await writeFile(path.join(place, '.employee-vault'), '{');
      },
    ],
  ] as const)('%s is refused before anything in it is believed', async ([, name, make]) => {
    const place = path.join(machine.folder, `vault ${name}`);
    await make(place);
    expectJson(await machine.employee('sync', '--vault', place, '--json'), 2, 'NOT_A_VAULT', [
      place,
      '--vault',
    ]);
    expectWords(await machine.employee('run', '--vault', place), 2, [place, '--vault']);
  });
});

describe.concurrent('a task that is not one', () => {
  it('a beginning that fits two names both', async () => {
    const words = ['2 tasks', 'About lunch', 'About dinner'];
    expectWords(await machine.employee('show', 't'), 2, words);
    for (const command of [
      ['approve', 't'],
      ['reject', 't', '--reason', 'no'],
      ['audit', 't'],
    ]) {
      expectJson(await machine.employee(...command, '--json'), 2, 'TASK_AMBIGUOUS', words);
    }
  });

  it.for(['tffffffffffffffffffff', 'x', '', '../../etc'])('%j is no task', async (task) => {
    expectJson(await machine.employee('approve', task, '--json'), 2, 'TASK_NOT_FOUND', ['inbox --all']);
  });

  it('any unambiguous beginning will do', async () => {
    expect(await machine.employee('show', taskId.slice(0, 5), '--json')).toMatchObject({ status: 0 });
  });
});

describe('surroundings that are wrong', () => {
  it('a note with broken front matter: the place is named, nothing is approved, the bytes stay', async () => {
    const folder = path.join(machine.vault, 'Pending_Approval');
    const name = (await readdir(folder)).find((file) => file.includes('lunch')) ?? '';
    const before = await readFile(path.join(folder, name), 'utf8');
    const broken = before.replace('subject:', 'subject: [');
    await writeFile(path.join(folder, name), broken);
    expectWords(await machine.employee('approve', taskId), 3, ['front matter']);
    const shown = await machine.employee('show', taskId, '--json');
    expect(shown.status).toBe(0);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      actions: [],
      problem: expect.stringContaining('front matter') as string,
    });
    expect(await machine.employee('sync')).toMatchObject({ status: 0 });
    expect(await readFile(path.join(folder, name), 'utf8')).toBe(broken);
    await writeFile(path.join(folder, name), before);
    expect(await machine.employee('sync')).toMatchObject({ status: 0 });
  });

  it('a broken Policy.yaml: nothing is approved under it, and doctor names it', async () => {
    const file = path.join(machine.vault, 'Policy.yaml');
    const before = await readFile(file, 'utf8');
    await writeFile(file, before.replace('default: move', 'default: maybe'));
    expectWords(await machine.employee('approve', taskId), 3, ['Policy.yaml', 'default']);
    const doctor = await machine.employee('doctor');
    expect(doctor.status).toBe(1);
    expect(doctor.stdout).toMatch(/problem\s+Policy\.yaml/);
    await writeFile(file, before);
  });

  it('a stack that does not answer: said with its address, and status and doctor say so too', async () => {
    const folder = path.join(machine.folder, 'no cloud');
    await cp(path.dirname(machine.configFile), folder, { recursive: true });
    const file = path.join(folder, 'employee.json');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:9'));
    const run = (...args: string[]): Promise<Said> =>
      employee([...args, '--config', file], { cwd: machine.folder });
    const [synced, synced2, status, doctor] = await Promise.all([
      run('sync'),
      run('sync', '--json'),
      run('status'),
      run('doctor'),
    ]);
    expectWords(synced, 1, ['127.0.0.1:9', 'npm start']);
    expectJson(synced2, 1, 'UNREACHABLE', ['127.0.0.1:9']);
    expect(status.status).toBe(1);
    expect(status.stdout).toContain('not reachable');
    expect(doctor.status).toBe(1);
    expect(doctor.stdout).toContain('fix: start the local cloud: npm start');
  });

  it('a port that is taken: said with its number', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = String(typeof address === 'object' && address !== null ? address.port : 0);
    expectWords(await machine.employee('run', '--port', port), 1, [port, 'in use', '--port']);
    await new Promise((resolve) => server.close(resolve));
  });

  it('a trace is shown only to those who ask for it', async () => {
    const said = await employee(['inbox', '--config', 'none.json'], {
      cwd: machine.folder,
      env: { EMPLOYEE_DEBUG: '1' },
    });
    expect(said.stderr).toMatch(/^\s+at /m);
  });
});
