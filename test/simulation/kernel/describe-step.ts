import type { Step } from './kernel.ts';

/** Of what a machine keeps for itself, these say how far an effect has come; the rest is bookkeeping. */
const TELLING = new Set(['journal', 'noteClaim']);
/** What goes in and out there are keys. */
const SECRETIVE = new Set(['secret', 'keys']);
/** Methods that only look. */
const LOOKS = new Set(['get', 'read', 'list', 'page', 'stat', 'prepare', 'parse', 'compose']);

/** A step in words: ids, names and outcomes, never what is random or secret. */
export function describeStep(step: Step): { readonly text: string; readonly changes: boolean } {
  const { port, method, args, error, fault } = step;
  const outcome = error === undefined ? resultWords(step) : `failed: ${errorWords(error)}`;
  const text = `${port}.${method}${argWords(port, method, args)}${outcome === '' ? '' : ` -> ${outcome}`}`;
  return {
    text: fault ? `${text} [${fault}]` : text,
    changes: fault !== undefined || isChange(port, method),
  };
}

function isChange(port: string, method: string): boolean {
  return port === 'copy' ? TELLING.has(method) : !LOOKS.has(method);
}

function argWords(port: string, method: string, args: readonly unknown[]): string {
  const [first, second] = args;
  if (SECRETIVE.has(port)) return '';
  if (port === 'ledger' && method === 'read') return ` after ${String(second)}`;
  if (port === 'ledger') return wordsOf(first, ['n', 'kind', 'writer', 'taskId', 'epoch']);
  if (port === 'tasks' && typeof first === 'object') {
    return wordsOf(first, ['taskId', 'owner', 'newOwner', 'epoch', 'state', 'to']);
  }
  if (port === 'blobs' || port === 'inventory') return '';
  if (port === 'ses') return wordsOf(first, ['destinations', 'tags']);
  if (port === 'copy')
    return method === 'keep' || method === 'together' ? '' : ` ${args.slice(0, 2).map(scalar).join(' ')}`;
  const texts = args.filter((arg) => typeof arg === 'string' && !/^[0-9a-f]{64}$/.test(arg));
  return texts.length === 0 ? '' : ` ${texts.join(' ')}`;
}

function resultWords({ port, result }: Step): string {
  if (SECRETIVE.has(port)) return '';
  if (typeof result === 'string') return result;
  if (typeof result === 'boolean') return String(result);
  if (typeof result !== 'object' || result === null) return '';
  if ('won' in result)
    return result.won === true
      ? `won${wordsOf((result as { task?: unknown }).task, ['state', 'owner', 'epoch'])}`
      : 'lost';
  if ('entries' in result) return `${(result.entries as unknown[]).length} entries`;
  if ('status' in result) return String(result.status);
  if (port === 'tasks') return wordsOf(result, ['state', 'owner', 'epoch', 'heartbeat']).trim();
  return Array.isArray(result) ? `${result.length}` : '';
}

function wordsOf(value: unknown, names: readonly string[]): string {
  if (typeof value !== 'object' || value === null) return '';
  const object = value as Readonly<Record<string, unknown>>;
  return names
    .flatMap((name) => (object[name] === undefined ? [] : ` ${name}=${scalar(object[name])}`))
    .join('');
}

function scalar(value: unknown): string {
  if (typeof value === 'object' && value !== null) return JSON.stringify(value).slice(0, 120);
  return String(value).slice(0, 80);
}

function errorWords(error: unknown): string {
  return error instanceof Error
    ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}`.slice(0, 120)
    : String(error);
}
