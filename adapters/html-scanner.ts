import { decodeEntities } from './html-entities.ts';

/** What a scan of HTML meets, in order. Names are lower case. */
export type HtmlEvent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'open'; readonly name: string; readonly attributes: ReadonlyMap<string, string> }
  | { readonly kind: 'close'; readonly name: string }
  /** The content of a `<style>`. */
  | { readonly kind: 'style'; readonly css: string };

// Elements whose content is no markup. Except for a style, it is passed over.
const RAW = new Set(['script', 'style', 'title', 'textarea', 'xmp', 'iframe', 'noembed', 'noframes']);
const MAX_ATTRIBUTES = 100;

/**
 * Reads HTML in one pass, whatever it is: broken markup is read as browsers do, near enough for its text.
 * Time is linear in the length.
 */
export function* scanHtml(html: string): Generator<HtmlEvent> {
  // Found once for the whole text: looking for an end that never comes, tag by tag, would be quadratic.
  const lastClose = html.lastIndexOf('>');
  let at = 0;
  while (at < html.length) {
    const tag = html.indexOf('<', at);
    const end = tag < 0 ? html.length : tag;
    if (end > at) yield { kind: 'text', text: decodeEntities(html.slice(at, end)) };
    if (tag < 0) return;
    const next = html.charAt(tag + 1);
    if (html.startsWith('<!--', tag)) {
      const close = html.indexOf('-->', tag + 4);
      if (close < 0) return;
      at = close + 3;
    } else if (next === '!' || next === '?' || /^<\/[^a-z]/i.test(html.slice(tag, tag + 3))) {
      // What browsers call a bogus comment.
      const close = tag < lastClose ? html.indexOf('>', tag) : html.length;
      at = close + 1;
    } else if (/[a-z/]/i.test(next) && tag < lastClose) {
      const element = readTag(html, tag);
      at = element.end;
      if (element.name === '') continue;
      if (next === '/') {
        yield { kind: 'close', name: element.name };
        continue;
      }
      yield { kind: 'open', name: element.name, attributes: element.attributes };
      if (!RAW.has(element.name)) continue;
      const close = endOfRaw(html, at, element.name);
      if (element.name === 'style') yield { kind: 'style', css: html.slice(at, close) };
      at = close;
    } else {
      yield { kind: 'text', text: '<' };
      at = tag + 1;
    }
  }
}

function endOfRaw(html: string, from: number, name: string): number {
  const pattern = new RegExp(`</${name}(?=[\\s/>])`, 'gi');
  pattern.lastIndex = from;
  return pattern.exec(html)?.index ?? html.length;
}

function readTag(
  html: string,
  start: number,
): { name: string; attributes: Map<string, string>; end: number } {
  const pattern =
    /<\/?([a-z][^\s/>]*)|\/|([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?|["']|\s+|=|(>)/giy;
  pattern.lastIndex = start;
  const attributes = new Map<string, string>();
  let name = '';
  for (let match = pattern.exec(html); match; match = pattern.exec(html)) {
    const [, tagName, attribute, double, single, bare, close] = match;
    if (tagName !== undefined && match.index === start) name = tagName.toLowerCase();
    if (close !== undefined) return { name, attributes, end: pattern.lastIndex };
    const key = attribute?.toLowerCase();
    // The first one counts, as in a browser.
    if (key === undefined || attributes.has(key) || attributes.size >= MAX_ATTRIBUTES) continue;
    attributes.set(key, decodeEntities((double ?? single ?? bare ?? '').slice(0, 10_000)));
  }
  return { name, attributes, end: html.length };
}
