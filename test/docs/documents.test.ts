import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '#local-agent/program.ts';

const root = path.resolve(import.meta.dirname, '../..');
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'examples/README.md',
  'examples/vault/Welcome.md',
  ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`),
];

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/** The commands that `employee` has, by its own help. */
function commandNames(): string[] {
  const help = parseCommandLine(['--help'], '0.0.0');
  if (help.kind !== 'help') throw new Error('no help');
  return [...help.text.matchAll(/^ {2}([a-z]+) .*$/gm)]
    .map((match) => match[1] ?? '')
    .filter((name) => name !== 'help');
}

describe.each(documents)('%s', (file) => {
  it('links to files that are there', () => {
    const links = [...read(file).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1] ?? '');
    const gone = links.filter(
      (link) => !/^[a-z]+:/.test(link) && !existsSync(path.join(root, path.dirname(file), link)),
    );
    expect(gone).toEqual([]);
  });

  it('names npm scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...read(file).matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names commands of employee that there are', () => {
    const named = [...read(file).matchAll(/`employee ([a-z]+)|npx employee ([a-z]+)/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    );
    expect(named.filter((name) => !commandNames().includes(name))).toEqual([]);
  });
});

it('the README tells every command there is', () => {
  const readme = read('README.md');
  expect(commandNames().length).toBeGreaterThan(10);
  expect(commandNames().filter((name) => !new RegExp(`\`(employee )?${name}\\b`).test(readme))).toEqual([]);
});

it('the sample mails that the README sends are there', () => {
  const files = [...read('README.md').matchAll(/examples\/mail\/\S+\.eml/g)].map(([file]) => file);
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
});
