import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { repositoryDir } from '#infra/paths.ts';
import { MUTANTS } from './mutants/mutants.ts';

it('there are 25 mutants or more, each with a name of its own', () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

it.each(MUTANTS)('$name: what it changes stands in the sources once', async ({ edits }) => {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = texts.get(file) ?? (await readFile(path.join(repositoryDir, file), 'utf8'));
    expect(text.split(find), `${file}: ${find}`).toHaveLength(2);
    texts.set(
      file,
      text.replace(find, () => replace),
    );
  }
});
