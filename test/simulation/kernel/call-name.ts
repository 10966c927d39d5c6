import type { MadeCall } from './fate.ts';

/**
 * Names a call by who calls what, and about which task or file: the same call of a world from which something else was
 * left out has the same name. @example callName(call) // 'laptop/tasks.settle/t0db3ddb'
 */
export function callName({ process, port, method, args }: MadeCall): string {
  // The secret's text is all keys.
  const subject = port === 'secret' ? '' : subjectOf(args[0]);
  return `${process.name}/${port}.${method}${subject === '' ? '' : `/${subject}`}`;
}

function subjectOf(value: unknown): string {
  if (Array.isArray(value)) return subjectOf(value[0]);
  if (typeof value === 'string') return /^t[0-9a-f]{20}$/.test(value) ? value.slice(0, 8) : nameOf(value);
  if (typeof value !== 'object' || value === null) return '';
  const { taskId, kind, args, tags } = value as Readonly<Record<string, unknown>>;
  const about = taskId ?? property(args, 'taskId') ?? property(tags, 'task');
  return [kind, about].flatMap((part) => (typeof part === 'string' ? part.slice(0, 8) : [])).join('-');
}

/** The last part of a path, without what would end a name in a list of names. */
function nameOf(text: string): string {
  return (text.split('/').at(-1) ?? '').replaceAll(/[^\w()-]+/g, '_').slice(-24);
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
