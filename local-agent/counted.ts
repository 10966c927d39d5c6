/**
 * A number with its word in the right form.
 *
 * @param many the plural, where it is not the word with an s.
 * @example counted(1, 'new entry', 'new entries') // '1 new entry'
 */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
