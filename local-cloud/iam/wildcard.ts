import { PolicyUnsupported } from './policy-unsupported.ts';

/** Says whether a text is what a pattern stands for. */
export type Matcher = (text: string) => boolean;

/**
 * Compiles a pattern of a policy: `*` stands for any characters, `/` and `:` included, and `?` for one.
 * A pattern without either is compared as it is, which is what most of them are.
 *
 * @param letters names of actions are compared without regard to case, ARNs and values with it
 * @example wildcard('s3:Get*', 'any case')('S3:getObject') // true
 */
export function wildcard(pattern: string, letters: 'any case' | 'exact' = 'exact'): Matcher {
  if (pattern === '*') return () => true;
  const anyCase = letters === 'any case';
  if (!/[*?]/.test(pattern)) {
    const wanted = anyCase ? pattern.toLowerCase() : pattern;
    return (text) => (anyCase ? text.toLowerCase() : text) === wanted;
  }
  const source = pattern
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, anyCase ? 'is' : 's');
  return (text) => expression.test(text);
}

/**
 * Compiles an ARN of a `Resource` or of an `Arn…` condition: its six parts are compared one by one, so that a `*`
 * in the account does not reach over into the resource.
 *
 * @throws PolicyUnsupported if the pattern is neither `*` nor an ARN of six parts
 * @example arnPattern('arn:aws:s3:::*')('arn:aws:s3:::vault/blobs/1') // true
 */
export function arnPattern(pattern: string): Matcher {
  if (pattern === '*') return () => true;
  const parts = partsOf(pattern);
  if (parts === undefined) throw new PolicyUnsupported(`${pattern} is no ARN.`);
  const matchers = parts.map((part) => wildcard(part));
  return (arn) => partsOf(arn)?.every((part, index) => matchers[index]?.(part) === true) ?? false;
}

function partsOf(arn: string): string[] | undefined {
  const [prefix, partition, service, region, account, ...resource] = arn.split(':');
  if (prefix !== 'arn' || resource.length === 0) return undefined;
  return [partition ?? '', service ?? '', region ?? '', account ?? '', resource.join(':')];
}
