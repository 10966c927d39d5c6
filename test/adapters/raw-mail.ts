import { parseMail } from '#adapters/parse-mail.ts';
import { ParsedMail } from '#protocol/mail.ts';

/** A raw mail from lines; headers first, then an empty line, then the body. */
export function rawMail(...lines: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\r\n')]));
}

/** Parses a mail made of lines, and checks that the result has the bounds that the protocol promises. */
export async function parsed(...lines: readonly (string | Uint8Array)[]): Promise<ParsedMail> {
  return ParsedMail.parse(await parseMail(Uint8Array.from(rawMail(...lines)).buffer));
}

/** Parses a mail with these headers after `From` and `To`. */
export function withHeaders(...headers: readonly string[]): Promise<ParsedMail> {
  return parsed('From: Ann <ann@a.example>', 'To: b@b.example', ...headers, '', 'Hello');
}

/** Parses a mail whose only part is this HTML. */
export function withHtml(html: string): Promise<ParsedMail> {
  return parsed('From: ann@a.example', 'Content-Type: text/html; charset=utf-8', '', html);
}
