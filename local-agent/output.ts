import { errorText } from './error-text.ts';
import { visibleText } from './visible.ts';

const CLEAR_LINE = '\r\u001b[2K';

/** Where text goes; a process's stream or a test's buffer. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

/** Words with a colour, where colours are wanted. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

/**
 * What a command says. With `json`: one document on stdout and nothing else. Without: text for a person.
 * Logs go to stderr in both.
 */
export interface Output {
  readonly json: boolean;
  readonly style: Style;
  /** The command's answer. `text` is asked only if a person reads. */
  result(document: unknown, text: (style: Style) => string): void;
  error(error: unknown): void;
  log(line: string): void;
  /** Says on stderr how far long work has come: on a terminal in one line that what comes next replaces. */
  progress(line: string): void;
  /** Whether a person watches stderr. */
  readonly isWatched: boolean;
}

/** Makes an output for two streams. */
export function createOutput(
  streams: { readonly stdout: Sink; readonly stderr: Sink },
  options: { readonly json: boolean; readonly noColour: boolean; readonly debug: boolean },
): Output {
  const { stdout, stderr } = streams;
  const colours = !options.noColour && !options.json;
  const style = createStyle(colours && stdout.isTTY === true);
  const errorStyle = createStyle(colours && stderr.isTTY === true);
  let answered = false;
  const isWatched = stderr.isTTY === true;
  let passing = false;
  const clear = (): void => {
    if (passing) stderr.write(CLEAR_LINE);
    passing = false;
  };
  const document = (value: unknown): void => {
    // One document is the promise; a second would make the first unreadable to a parser.
    if (answered) return;
    answered = true;
    stdout.write(`${JSON.stringify(value)}\n`);
  };
  return {
    json: options.json,
    style,
    isWatched,
    result(value, text) {
      clear();
      if (options.json) document(value);
      else stdout.write(ensureBreak(text(style)));
    },
    error(error) {
      clear();
      const { code, message } = errorText(error);
      if (options.json) document({ error: { code, message } });
      else stderr.write(`${errorStyle.bad('error')}: ${visibleText(message)}\n`);
      if (options.debug && error instanceof Error) stderr.write(`${error.stack ?? ''}\n`);
    },
    log(line) {
      clear();
      stderr.write(`${errorStyle.dim(visibleText(line))}\n`);
    },
    progress(line) {
      clear();
      passing = isWatched;
      stderr.write(`${errorStyle.dim(visibleText(line))}${isWatched ? '' : '\n'}`);
    },
  };
}

function createStyle(colours: boolean): Style {
  const paint =
    (code: number) =>
    (text: string): string =>
      colours && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { bold: paint(1), dim: paint(2), good: paint(32), warn: paint(33), bad: paint(31) };
}

function ensureBreak(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
