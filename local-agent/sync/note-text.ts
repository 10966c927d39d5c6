import { sameBesideExplanation, withExplanation } from '#protocol/note-explanation.ts';
import type { Explanation } from '#protocol/note-explanation.ts';

/** A note's text with its byte order mark, or `undefined` for bytes that are not UTF-8. */
export function noteText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A note with an explanation in it. Bytes that are no text stay as they are. */
export function explained(bytes: Uint8Array, explanation: Explanation | undefined): Uint8Array {
  const text = noteText(bytes);
  return text === undefined ? bytes : Buffer.from(withExplanation(text, explanation));
}

/** Whether two notes say the same but for what they explain. */
export function sayTheSame(a: Uint8Array, b: Uint8Array): boolean {
  const [one, other] = [noteText(a), noteText(b)];
  return one !== undefined && other !== undefined && sameBesideExplanation(one, other);
}
