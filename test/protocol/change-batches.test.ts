import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeBatches } from '#protocol/change-batches.ts';
import type { TaskChange } from '#protocol/ledger-body.ts';
import { TASK } from './samples.ts';

const KB = 1024;
const ENTRY_BYTES = 200 * KB;
const ENTRY_CHANGES = 200;

function changeOf(reasonBytes: number, epoch = 0): TaskChange {
  return { taskId: TASK, epoch, event: 'created', reason: 'x'.repeat(reasonBytes) };
}

describe('batches of changes', () => {
  const group = fc.array(fc.nat({ max: 60 * KB }), { minLength: 1, maxLength: 3 });

  it('hold every change once and in order, and part no group', () => {
    fc.assert(
      fc.property(fc.array(group, { maxLength: 12 }), (sizes) => {
        let count = 0;
        const groups = sizes.map((all) => all.map((size) => changeOf(size, count++)));
        const batches = changeBatches(groups);
        expect(batches.flat()).toEqual(groups.flat());
        for (const all of groups)
          expect(batches.filter((batch) => all.some((each) => batch.includes(each)))).toHaveLength(1);
      }),
    );
  });

  it('stay within what an entry holds, unless one group alone is more', () => {
    fc.assert(
      fc.property(fc.array(group, { maxLength: 12 }), (sizes) => {
        const groups = sizes.map((all) => all.map((size) => changeOf(size)));
        for (const batch of changeBatches(groups)) {
          const alone = groups.some(
            (all) => all.length === batch.length && all.every((each) => batch.includes(each)),
          );
          if (!alone)
            expect(Buffer.byteLength(JSON.stringify(batch))).toBeLessThanOrEqual(
              ENTRY_BYTES + batch.length + 1,
            );
        }
      }),
    );
  });

  it('are as few as they can be: a lone mail and ten small ones are one', () => {
    expect(changeBatches([[changeOf(10)]])).toHaveLength(1);
    expect(
      changeBatches(Array.from({ length: 10 }, () => [changeOf(8 * KB), changeOf(8 * KB)])),
    ).toHaveLength(1);
    expect(changeBatches([])).toEqual([]);
  });

  it('have at most two hundred changes', () => {
    const batches = changeBatches(Array.from({ length: 201 }, () => [changeOf(0)]));
    expect(batches.map((batch) => batch.length)).toEqual([ENTRY_CHANGES, 1]);
  });
});
