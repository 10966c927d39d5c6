import { describe, expect, it } from 'vitest';
import type { AgreedFile } from '#local-agent/copy-tables.ts';
import type { FileStep, PlanInput } from '#local-agent/sync/file-steps.ts';
import { planFiles } from '#local-agent/sync/plan-files.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import type { FileView } from '#protocol/vault-state.ts';
import { ringOf } from '#protocol/vault-path.ts';

/** `path: 'id text'` */
type Side = Readonly<Record<string, string>>;

function input(agreed: Side, disk: Side, ledger: Side, more: Partial<PlanInput> = {}): PlanInput {
  return {
    agreed: new Map(Object.entries(agreed).map(([path, each]) => [path, agreedOf(each)])),
    disk: new Map(Object.entries(disk).map(([path, text]) => [path, sha256Hex(text)])),
    ledger: new Map(Object.entries(ledger).map(([path, each]) => [path, viewOf(path, each)])),
    outside: () => false,
    isOwnWork: () => false,
    left: new Set(),
    apart: new Set(),
    ...more,
  };
}

function agreedOf(each: string): AgreedFile {
  const [id = '', text = ''] = each.split(' ');
  return { sha256: sha256Hex(text), id, n: 2 };
}

function viewOf(path: string, each: string): FileView {
  const { id, sha256 } = agreedOf(each);
  return { id, content: { sha256, sizeBytes: 1, entry: 3 }, contentN: 3, ring: ringOf(path), n: 3 };
}

/** Steps in a few words. */
function say(steps: readonly FileStep[]): string[] {
  return steps.map((step) => {
    switch (step.do) {
      case 'agree':
        return `agree ${step.path} ${step.agreed?.id ?? 'gone'}`;
      case 'carry': {
        const what = step.merge ? ' merged' : step.ours ? ' edited' : '';
        return `carry ${step.at?.path ?? 'new'} → ${step.to}${what}`;
      }
      case 'delete':
        return `delete ${step.at.path}`;
      case 'conflict':
        return `conflict ${step.disk}`;
      case 'move':
        return `move ${step.path} → ${step.to}`;
      case 'tidy':
        return 'tidy';
      default:
        return `${step.do} ${step.path}`;
    }
  });
}

describe('the plan', () => {
  it.each<[string, Side, Side, Side, string[]]>([
    ['nothing differs', { a: '1 x' }, { a: 'x' }, { a: '1 x' }, []],
    ['both sides have it, and it was not noted', {}, { a: 'x' }, { a: '1 x' }, ['agree a 1']],
    ['new here', {}, { a: 'x' }, {}, ['carry new → a edited']],
    ['new there', {}, {}, { a: '1 x' }, ['write a']],
    ['edited here', { a: '1 x' }, { a: 'y' }, { a: '1 x' }, ['carry a → a edited']],
    ['edited there', { a: '1 x' }, { a: 'x' }, { a: '1 y' }, ['write a']],
    ['edited on both', { a: '1 x' }, { a: 'y' }, { a: '1 z' }, ['carry a → a merged']],
    ['deleted here', { a: '1 x' }, {}, { a: '1 x' }, ['delete a']],
    ['deleted there', { a: '1 x' }, { a: 'x' }, {}, ['remove a', 'tidy']],
    ['deleted here, edited there', { a: '1 x' }, {}, { a: '1 y' }, ['write a']],
    ['edited here, deleted there', { a: '1 x' }, { a: 'y' }, {}, ['carry new → a edited']],
    ['deleted on both', { a: '1 x' }, {}, {}, ['agree a gone']],
    ['renamed here', { a: '1 x' }, { b: 'x' }, { a: '1 x' }, ['carry a → b']],
    ['renamed there', { a: '1 x' }, { a: 'x' }, { b: '1 x' }, ['move a → b', 'tidy']],
    ['renamed here, edited there', { a: '1 x' }, { b: 'x' }, { a: '1 y' }, ['carry a → b']],
    ['renamed there, edited here', { a: '1 x' }, { a: 'y' }, { b: '1 x' }, ['carry b → b edited']],
    ['renamed and edited there', { a: '1 x' }, { a: 'x' }, { b: '1 y' }, ['move a → b', 'tidy', 'write b']],
    [
      'swapped there',
      { a: '1 x', b: '2 y' },
      { a: 'x', b: 'y' },
      { a: '2 y', b: '1 x' },
      ['write a', 'write b'],
    ],
    [
      'swapped here',
      { a: '1 x', b: '2 y' },
      { a: 'y', b: 'x' },
      { a: '1 x', b: '2 y' },
      ['carry b → a', 'carry a → b'],
    ],
    [
      'a chain there',
      { a: '1 x', b: '2 y' },
      { a: 'x', b: 'y' },
      { b: '1 x', c: '2 y' },
      ['move b → c', 'move a → b', 'tidy'],
    ],
    ['file → folder there', { a: '1 x' }, { a: 'x' }, { 'a/b': '1 x' }, ['remove a', 'tidy', 'write a/b']],
    [
      'folder → file there',
      { 'a/b': '1 x' },
      { 'a/b': 'x' },
      { a: '1 x' },
      ['remove a/b', 'tidy', 'write a'],
    ],
    ['both new', {}, { a: 'x' }, { a: '1 y' }, ['conflict a']],
    [
      'a half-done swap from there',
      { a: '1 x', b: '2 y' },
      { a: 'y', b: 'y' },
      { a: '2 y', b: '1 x' },
      ['agree a 2', 'write b'],
    ],
    [
      'a half-done move from there',
      { a: '1 x' },
      { a: 'x', b: 'x' },
      { b: '1 x' },
      ['agree b 1', 'remove a', 'tidy'],
    ],
    [
      'empty files are not taken for one another',
      { a: '1 ' },
      { b: '' },
      { a: '1 ' },
      ['delete a', 'carry new → b edited'],
    ],
    [
      'across the rings',
      { 'Templates/a': '1 x' },
      { a: 'x' },
      { 'Templates/a': '1 x' },
      ['carry Templates/a → a'],
    ],
  ])('%s', (_name, agreed, disk, ledger, steps) => {
    expect(say(planFiles(input(agreed, disk, ledger)).steps)).toEqual(steps);
  });

  it('names nothing where sync has no business, and takes no absence there for a deletion', () => {
    const plan = planFiles(
      input({ a: '1 x', b: '2 x' }, { b: 'y' }, { a: '1 x', b: '2 x' }, { outside: () => true }),
    );
    expect(plan.steps).toEqual([]);
  });

  it('pairs equal files by name, and the rest in a fixed order', () => {
    const agreed = { 'x/1': '1 same', 'x/2': '2 same', 'x/3': '3 same' };
    const plan = planFiles(input(agreed, { 'y/3': 'same', 'y/2': 'same', 'y/9': 'same' }, agreed));
    expect(say(plan.steps)).toEqual(['carry x/2 → y/2', 'carry x/3 → y/3', 'carry x/1 → y/9']);
  });

  it('knows a file that was renamed and edited by what the system knows it by', () => {
    const agreed = new Map([['a', { ...agreedOf('1 x'), fileId: '77' }]]);
    const fileIds = new Map([['b', { fileId: '77' }]]);
    const plan = planFiles({ ...input({}, { b: 'y' }, { a: '1 x' }), agreed, fileIds });
    expect(say(plan.steps)).toEqual(['carry a → b edited']);
  });

  it('replaces nothing on the disk that is not in the ledger', () => {
    const plan = planFiles(input({ a: '1 x' }, { a: 'y' }, { a: '1 z' }, { left: new Set(['a']) }));
    expect(plan.steps).toEqual([]);
  });

  it('turns thousands of renames back whose names were taken elsewhere, without a look at all names for each', () => {
    const agreed: Record<string, string> = {};
    const disk: Record<string, string> = {};
    const ledger: Record<string, string> = {};
    for (let n = 0; n < 20_000; n++) {
      const path = `other/${n}`;
      agreed[path] = ledger[path] = `o${n} o${n}`;
      disk[path] = `o${n}`;
    }
    for (let n = 0; n < 2000; n++) {
      agreed[`old/${n}`] = ledger[`old/${n}`] = `${n} x${n}`;
      disk[`new/${n}`] = `x${n}`;
      ledger[`new/${n}`] = `t${n} taken ${n}`;
    }
    const all = input(agreed, disk, ledger);
    const start = performance.now();
    const { steps, explained } = planFiles(all);
    expect(performance.now() - start).toBeLessThan(1500);
    expect(explained).toHaveLength(2000);
    expect(new Set(steps.map((step) => step.do))).toEqual(new Set(['agree']));
  });

  it('is a matter of milliseconds for 100,000 files where nothing differs, and of one look a path', () => {
    const files = Array.from(
      { length: 100_000 },
      (_each, n) => [`folder ${n % 500}/note ${n}.md`, `${n} ${n}`] as const,
    );
    const all = Object.fromEntries(files);
    const disk = Object.fromEntries(files.map(([path, each]) => [path, each.split(' ')[1] ?? '']));
    let asked = 0;
    const same = input(all, disk, all, { outside: () => ((asked += 1), false) });
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      expect(planFiles(same).steps).toEqual([]);
      return performance.now() - start;
    });
    expect(asked).toBe(0);
    expect(Math.min(...times)).toBeLessThan(500);
  });
});
