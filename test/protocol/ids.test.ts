import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactInstant, Instant, shortId, TaskId, taskIdOfMail, WriterName } from '#protocol/ids.ts';

describe("a mail's task id", () => {
  it('is well-formed, the same for the same message and another one for another', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(TaskId.safeParse(taskIdOfMail(a)).success).toBe(true);
        expect(taskIdOfMail(a) === taskIdOfMail(b)).toBe(Buffer.from(a).equals(Buffer.from(b)));
      }),
    );
  });

  it('does not change between releases', () => {
    expect(taskIdOfMail('ses-1')).toBe('t5f3829a33cc0922ebfd7');
    expect(shortId(taskIdOfMail('ses-1'))).toBe('t5f3829a');
  });
});

describe('an instant', () => {
  it('is in UTC', () => {
    expect(Instant.safeParse('2026-11-21T08:00:00Z').success).toBe(true);
    for (const text of [
      '2026-11-21T08:00:00+01:00',
      '2026-11-21T08:00:00',
      '2026-11-21',
      '2026-02-30T00:00:00Z',
      '',
    ]) {
      expect(Instant.safeParse(text).success, text).toBe(false);
    }
  });

  it('that is exact compares as a text as it does in time', () => {
    const instant = fc
      .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
      .map((date) => date.toISOString());
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        expect(ExactInstant.safeParse(a).success).toBe(true);
        expect(a < b).toBe(Date.parse(a) < Date.parse(b));
      }),
    );
    for (const text of ['2026-11-21T08:00:00Z', '2026-11-21T08:00:00.0001Z', '2026-11-21T08:00:00.1Z']) {
      expect(ExactInstant.safeParse(text).success, text).toBe(false);
    }
  });
});

describe("a writer's name", () => {
  it.each(['cloud', 'laptop', 'a', 'desk-2'])('may be %s', (name) => {
    expect(WriterName.safeParse(name).success).toBe(true);
  });

  it.each(['', 'Cloud', '../x', 'a/b', '-a', '2nd', 'a'.repeat(33), 'laptop\n', 'lаptop'])(
    'cannot be %j',
    (name) => {
      expect(WriterName.safeParse(name).success).toBe(false);
    },
  );
});
