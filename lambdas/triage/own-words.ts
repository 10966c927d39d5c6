const QUOTE_INTRO =
  /^(on .{3,200} wrote:|am .{3,200} schrieb.{0,200}:|le .{3,200} a écrit\s*:|el .{3,200} escribió:|il .{3,200} ha scritto:|em .{3,200} escreveu:|op .{3,200} schreef.{0,200}:|.{3,100} <[^<>\s]+@[^<>\s]+> wrote:|.{3,200} пишет:)$/i;
const ORIGINAL_RULE =
  /^-{3,}\s*(original|ursprüngliche|message d'origine|mensaje original|forwarded|weitergeleitete).*$/i;
const HEADER_BLOCK = /^(from|von|de|da|van):\s.+/i;
const HEADER_BLOCK_NEXT =
  /^(sent|date|gesendet|datum|envoyé|enviado|fecha|inviato|data|verzonden|to|an|à|para):\s/i;

/** How much of a mail is read for its wording: what matters stands above. */
const MAX_LENGTH = 20_000;

/**
 * The sender's own words: without quoted lines, without whatever stands below "On … wrote:" or a header
 * block of an older mail, without the signature, and without addresses of web pages.
 */
export function ownWords(text: string): string {
  const lines = text.slice(0, MAX_LENGTH).split('\n');
  const kept: string[] = [];
  for (const [index, line] of lines.entries()) {
    const trimmed = line.trim();
    if (line === '-- ' || trimmed === '--' || startsQuote(lines, index, trimmed)) break;
    if (!trimmed.startsWith('>')) kept.push(line);
  }
  return kept.join('\n').replace(/https?:\/\/[^\s<>")\]]+/gi, ' ');
}

/** Hosts of the web addresses in a text, lower case. */
export function linkHosts(text: string): string[] {
  const hosts = text.slice(0, MAX_LENGTH).matchAll(/https?:\/\/(?:[^\s/@<>]*@)?([^\s/:?#<>")\]]+)/gi);
  return [...hosts].map((match) => (match[1] ?? '').toLowerCase());
}

function startsQuote(lines: readonly string[], index: number, line: string): boolean {
  if (line.length > 500) return false;
  // "On … wrote:" is often wrapped over two lines.
  if (QUOTE_INTRO.test(line) || QUOTE_INTRO.test(`${line} ${lines[index + 1]?.trim().slice(0, 300) ?? ''}`))
    return true;
  if (ORIGINAL_RULE.test(line)) return true;
  return HEADER_BLOCK.test(line) && HEADER_BLOCK_NEXT.test(lines[index + 1]?.trim() ?? '');
}
