import { addressParser, decodeWords } from 'postal-mime';

/** A header field as SES lists it: name as written, value unfolded. */
export interface MailHeader {
  name: string;
  value: string;
}

/** Far above any real mail; keeps a hostile one from costing more than its bytes. */
const MAX_HEADER_BYTES = 1024 * 1024;

/**
 * The header fields of a raw message, in order, read leniently: lines without a colon are skipped, bytes
 * that are no UTF-8 become replacement characters. At most the first megabyte is read.
 */
export function headersOf(raw: Buffer): MailHeader[] {
  const block = raw.subarray(0, Math.min(headerEnd(raw), MAX_HEADER_BYTES)).toString('utf8');
  const headers: MailHeader[] = [];
  for (const line of block.split(/\r?\n/)) {
    const last = headers.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) {
      last.value += ` ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 1 || /\s/.test(line.slice(0, colon).trimEnd())) continue;
    headers.push({ name: line.slice(0, colon).trimEnd(), value: line.slice(colon + 1).trim() });
  }
  return headers;
}

/** How many bytes the header block takes, without the empty line behind it. */
export function headerEnd(raw: Buffer): number {
  if (raw[0] === 0x0a || (raw[0] === 0x0d && raw[1] === 0x0a)) return 0;
  const ends = [raw.indexOf('\r\n\r\n'), raw.indexOf('\n\n')].filter((at) => at >= 0);
  return ends.length === 0 ? raw.length : Math.min(...ends);
}

/** The first field of that name, whatever its case. */
export function headerOf(headers: readonly MailHeader[], name: string): string | undefined {
  return headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value;
}

/** The bare address in `Name <user@host>` or `user@host`; undefined if there is none. */
export function addressOnly(text: string): string | undefined {
  return addressesIn(text)[0];
}

/** Every address of an address list, groups flattened. */
export function addressesIn(text: string): string[] {
  return addressParser(text, { flatten: true })
    .map((mailbox) => mailbox.address ?? '')
    .filter((address) => /^[^\s@]+@[^\s@]+$/.test(address));
}

/** A header value with its encoded words (RFC 2047) decoded. */
export function decodedText(value: string): string {
  return decodeWords(value);
}

/** The part behind the last `@`, in lower case; empty without one. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? '' : address.slice(at + 1).toLowerCase();
}
