/** How much of a mail is read for its wording: what matters stands above. */
export const READ_LENGTH = 20_000;

/** Hosts of the web addresses in a text, lower case. */
export function linkHosts(text: string): string[] {
  const hosts = text.slice(0, READ_LENGTH).matchAll(/https?:\/\/(?:[^\s/@<>]*@)?([^\s/:?#<>")\]]+)/gi);
  return [...hosts].map((match) => (match[1] ?? '').toLowerCase());
}
