import { z } from 'zod';

/** What a figure has to keep to: its ratio to the anchor, or the value itself where there is nothing to compare. */
export interface Budget {
  readonly of: 'ratio' | 'value';
  readonly is: '<=' | '>=';
  readonly limit: number;
}

/**
 * One measured figure, as it is printed. Units stand at the end of `name` (`-ms`, `-kb`, `-per-second`).
 * `anchor` is what the same machine did in the same run without our code, and `ratio` is `value / anchor`; both are
 * null where a budget is absolute. `value` is null when it could not be measured. `budget` is in words, such as
 * `ratio <= 1.25`.
 */
export const Figure = z.strictObject({
  name: z.string(),
  value: z.number().nullable(),
  anchor: z.number().nullable(),
  ratio: z.number().nullable(),
  budget: z.string().regex(/^(ratio|value) (<=|>=) [\d.]+$/),
  ok: z.boolean(),
});
export type Figure = z.infer<typeof Figure>;

/**
 * Makes a figure and judges it. The judgement is made on the rounded numbers that are shown.
 *
 * @example figureOf('claims/in-flight-1-per-second', { value: 950, anchor: 1000 }, { of: 'ratio', is: '>=', limit: 0.9 })
 */
export function figureOf(
  name: string,
  measured: { readonly value: number; readonly anchor?: number },
  budget: Budget,
): Figure {
  const value = rounded(measured.value);
  const anchor = rounded(measured.anchor);
  const ratio = measured.anchor === undefined ? null : rounded(measured.value / measured.anchor);
  const judged = budget.of === 'ratio' ? ratio : value;
  // Whatever could not be measured has not kept its budget.
  const isKept = judged !== null && (budget.is === '<=' ? judged <= budget.limit : judged >= budget.limit);
  return {
    name,
    value,
    anchor,
    ratio,
    budget: `${budget.of} ${budget.is} ${budget.limit}`,
    ok: isKept,
  };
}

/** Four digits that count; whole numbers stay whole. JSON has no word for what is no number. */
function rounded(value: number | undefined): number | null {
  if (value === undefined || !Number.isFinite(value)) return null;
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}
