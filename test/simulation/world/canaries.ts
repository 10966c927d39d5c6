/** A word that stands in a person's private files and nowhere else; where it is found, something leaked. */
export const CANARY = 'zeisig';

/** A private text of about that many bytes, with a canary of its own in it. */
export function canaryFile(name: string, bytes: number): string {
  const line = `${CANARY}-${name} is for nobody else\n`;
  return line.repeat(Math.ceil(bytes / line.length));
}
