/** No introduction of a quote is longer; a longer line is only cut for the look at it. */
const MAX_LINE = 600;

/** Where an older mail begins below an answer, as mail programs write it. */
const HISTORY = [
  /^-{2,}\s*(original message|forwarded message|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|пересланное сообщение|исходное сообщение)\s*-{2,}/i,
  /^_{10,}$/,
  /^(begin forwarded message|anfang der weitergeleiteten nachricht|début du message transféré)\s*:?$/i,
];
/** "On Monday, Maya wrote:" in several languages, on one line; or "Maya <maya@…> wrote:". */
const ATTRIBUTION = [
  /^(on|am|le|el|il|op|em|в|2\d{3}).{4,300}(wrote|schrieb|a écrit|écrit|escribió|ha scritto|schreef|escreveu|написал\(?а?\)?|пишет|のメール)\b.{0,80}[:：]\s*$/iu,
  /^.{3,200} (<[^<>\s@]{1,100}@[^<>\s@]{1,100}> (wrote|schrieb|a écrit|escribió)|пишет)\s*:$/iu,
];
const HEADER_LINE =
  /^\*?(from|von|de|da|van|от|差出人|发件人|sent|gesendet|envoyé|to|an|subject|betreff|objet)\*?\s*[:：]\s?\S/iu;

/**
 * What the sender wrote in this very mail: quoted lines, the history below an answer and the signature
 * (below `-- `) are left out.
 */
export function ownWords(text: string): string {
  const lines = text.split('\n').slice(0, 5000);
  const end = lines.findIndex((line, index) => isEnd(line, index, lines));
  return (end < 0 ? lines : lines.slice(0, end))
    .filter((line) => !/^\s*>/.test(line))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/**
 * The first sentence that ends in a question mark (of any script), on one line; `undefined` without one.
 */
export function firstQuestion(text: string): string | undefined {
  const flat = text
    .slice(0, 20_000)
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' '))
    .join('\n')
    // A question mark inside an address is none.
    .replace(/\(?https?:\/\/\S+/g, '');
  const sentences = flat.match(/[^.!?。！？؟\n]+[.!?。！？؟\n]?/gu) ?? [];
  const question = sentences.find((sentence) => /[?？؟]$/.test(sentence))?.trim();
  return question && /\p{L}/u.test(question) && question.length <= 300 ? question : undefined;
}

function isEnd(line: string, index: number, lines: readonly string[]): boolean {
  const trimmed = line.slice(0, MAX_LINE).trim();
  if (/^-- ?$/.test(line)) return true;
  if (HISTORY.some((pattern) => pattern.test(trimmed))) return true;
  // Long attributions are broken in two by the sender's program.
  const joined = `${trimmed} ${lines[index + 1]?.slice(0, MAX_LINE).trim() ?? ''}`;
  const isWrapped = /^(on|am|le|el|il|op|em)\s/i.test(trimmed);
  if (ATTRIBUTION.some((pattern) => pattern.test(trimmed) || (isWrapped && pattern.test(joined))))
    return true;
  const next = lines
    .slice(index + 1, index + 5)
    .filter((other) => HEADER_LINE.test(other.slice(0, MAX_LINE).trim()));
  return HEADER_LINE.test(trimmed) && next.length >= 2;
}
