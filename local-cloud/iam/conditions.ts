import { z } from 'zod';
import { PolicyUnsupported } from './policy-unsupported.ts';
import { arnPattern, wildcard, type Matcher } from './wildcard.ts';

/** The values of one request's condition keys, by lower-case name. A key that is missing has no value. */
export type ConditionKeys = Readonly<Record<string, string | readonly string[]>>;

/** Whether a statement's `Condition` holds for a request. */
export type Condition = (keys: ConditionKeys) => boolean;

type Test = (wanted: string) => Matcher;

const OPERATORS: Readonly<Record<string, { test: Test; negated?: true }>> = {
  StringEquals: { test: equal },
  StringNotEquals: { test: equal, negated: true },
  StringEqualsIgnoreCase: { test: equalInAnyCase },
  StringNotEqualsIgnoreCase: { test: equalInAnyCase, negated: true },
  StringLike: { test: (wanted) => wildcard(wanted) },
  StringNotLike: { test: (wanted) => wildcard(wanted), negated: true },
  // ArnEquals takes wildcards too: the two are the same.
  ArnEquals: { test: arnPattern },
  ArnLike: { test: arnPattern },
  ArnNotEquals: { test: arnPattern, negated: true },
  ArnNotLike: { test: arnPattern, negated: true },
  Bool: { test: equalInAnyCase },
  NumericEquals: { test: numeric((given, wanted) => given === wanted) },
  NumericNotEquals: { test: numeric((given, wanted) => given === wanted), negated: true },
  NumericLessThan: { test: numeric((given, wanted) => given < wanted) },
  NumericLessThanEquals: { test: numeric((given, wanted) => given <= wanted) },
  NumericGreaterThan: { test: numeric((given, wanted) => given > wanted) },
  NumericGreaterThanEquals: { test: numeric((given, wanted) => given >= wanted) },
};

const Scalar = z.union([z.string(), z.boolean(), z.number()]).transform(String);
const Values = z.union([Scalar.transform((value) => [value]), z.array(Scalar)]);

/**
 * Compiles a `Condition` block: all of its lines have to hold, each for one of its values (for none of them with a
 * negated operator). A key that the request does not have fails a line, unless the operator is negated or ends in
 * `IfExists`.
 *
 * @throws PolicyUnsupported at an operator that is not known, or a policy variable
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export function compileCondition(
  block: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Condition {
  const lines = Object.entries(block).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) =>
      compileLine(operator, key.toLowerCase(), Values.parse(values)),
    ),
  );
  return (keys) => lines.every((line) => line(keys));
}

function compileLine(written: string, key: string, wanted: readonly string[]): Condition {
  const [, set, name = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(written) ?? [];
  if (name === 'Null') return (keys) => wanted.includes(String(given(keys, key).length === 0));
  const operator = OPERATORS[name];
  if (operator === undefined)
    throw new PolicyUnsupported(`The condition operator ${written} is not known here.`);
  const variable = wanted.find((value) => value.includes('${'));
  if (variable !== undefined)
    throw new PolicyUnsupported(`The policy variable in ${variable} is not known here.`);
  const tests = wanted.map(operator.test);
  const negated = operator.negated === true;
  const fits = (value: string): boolean => tests.some((test) => test(value)) !== negated;
  return (keys) => {
    const values = given(keys, key);
    if (values.length === 0) return set === 'ForAllValues' || negated || ifExists !== undefined;
    return set === 'ForAnyValue' || (set === undefined && !negated) ? values.some(fits) : values.every(fits);
  };
}

function given(keys: ConditionKeys, key: string): readonly string[] {
  const value = Object.hasOwn(keys, key) ? keys[key] : undefined;
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function equal(wanted: string): Matcher {
  return (text) => text === wanted;
}

function equalInAnyCase(wanted: string): Matcher {
  const lower = wanted.toLowerCase();
  return (text) => text.toLowerCase() === lower;
}

function numeric(compare: (given: number, wanted: number) => boolean): Test {
  return (wanted) => (text) => compare(Number(text), Number(wanted));
}
