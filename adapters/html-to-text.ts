import { scanHtml } from './html-scanner.ts';
import {
  declarationsOf,
  hidesContent,
  isTiny,
  parseColour,
  parseStyleSheet,
  sameColour,
  type Declarations,
} from './html-style.ts';
import { createTextFlow, type TextFlow } from './text-flow.ts';

/** What a reader of the HTML sees, as text. */
export interface ReadableHtml {
  readonly text: string;
  /** Words were left out because a reader would not have seen them. */
  readonly hiddenText: boolean;
}

type Colour = readonly number[] | undefined;

/** An open element and what it passes on to those inside. */
interface Open {
  readonly name: string;
  readonly hidden: boolean;
  readonly tiny: boolean;
  /** `undefined`: one that cannot be judged. */
  readonly colour: Colour;
  readonly background: Colour;
  readonly href?: string;
  /** Where the text of a link began. */
  readonly from: number;
}

const BLACK = [0, 0, 0];
const WHITE = [255, 255, 255];
const MAX_HTML_CHARS = 4 * 1024 * 1024;
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
const PARAGRAPHS = new Set('p h1 h2 h3 h4 h5 h6 ul ol dl blockquote pre table'.split(' '));
const BLOCKS = new Set(
  'address article aside body center dd details div dt fieldset figcaption figure footer form header hr html li main nav section summary tr caption'.split(
    ' ',
  ),
);
const NEVER_SHOWN = new Set('head template object audio video canvas svg math select datalist'.split(' '));
const OF_HEAD = new Set('base basefont link meta noscript script style title template'.split(' '));
const INLINE = new Set('a abbr b big code em font i s small span strike strong sub sup u'.split(' '));
/** Opening one of these ends an open one of those (HTML's implied end tags), up to the fence. */
const IMPLIED: Readonly<Record<string, { ends: readonly string[]; fence: readonly string[] }>> = {
  li: { ends: ['li'], fence: ['ul', 'ol'] },
  td: { ends: ['td', 'th'], fence: ['tr', 'table'] },
  th: { ends: ['td', 'th'], fence: ['tr', 'table'] },
  tr: { ends: ['tr'], fence: ['table'] },
  dd: { ends: ['dd', 'dt'], fence: ['dl'] },
  dt: { ends: ['dd', 'dt'], fence: ['dl'] },
};
const LOOK_BACK = 50;
/** Browsers stop nesting at 512; a mail that goes on is built to exhaust its reader. */
const MAX_DEPTH = 5000;
const WORDS = /[\p{L}\p{N}]{2,}/u;

/**
 * HTML as readable text: blocks on lines of their own, quotes with `> `, list items with `- `, the target
 * of a link in parentheses behind it. Scripts and styles are dropped. What a reader would not see (by the
 * `hidden` attribute, `display`, `visibility`, `opacity`, tiny or far-away text, text in the colour of its
 * background; inline or by a simple rule of a style sheet) is left out and reported.
 *
 * @param maxChars the text ends near there. @default 300,000
 */
export function htmlToText(html: string, maxChars = 300_000): ReadableHtml {
  const flow = createTextFlow();
  const rules = new Map<string, Map<string, string>>();
  const page: Open = { name: '', hidden: false, tiny: false, colour: BLACK, background: WHITE, from: 0 };
  const stack = createStack((element) => closeElement(element, flow));
  let hiddenText = false;

  for (const event of scanHtml(html.slice(0, MAX_HTML_CHARS))) {
    if (flow.length() > maxChars || stack.depth() > MAX_DEPTH) break;
    const parent = stack.top() ?? page;
    if (event.kind === 'style') parseStyleSheet(event.css, rules);
    else if (event.kind === 'close') {
      if (event.name === 'br') flow.newLine();
      else stack.close(event.name);
    } else if (event.kind === 'text') {
      if (!isUnseen(parent)) flow.text(event.text);
      else if (!stack.isInside(NEVER_SHOWN)) hiddenText ||= WORDS.test(event.text);
    } else {
      stack.endImplied(event.name);
      const { name, attributes } = event;
      const around = stack.top() ?? page;
      const declarations = declarationsOf(name, attributes, rules);
      const hidden =
        around.hidden || NEVER_SHOWN.has(name) || attributes.has('hidden') || hidesContent(declarations);
      if (!hidden) openElement(name, flow);
      if (VOID.has(name)) continue;
      const href = name === 'a' ? attributes.get('href')?.trim() : undefined;
      stack.push({
        name,
        hidden,
        tiny: isTiny(declarations, around.tiny),
        ...coloursOf(declarations, attributes, around),
        ...(href === undefined ? {} : { href }),
        from: flow.mark(),
      });
    }
  }
  stack.closeAll();
  return { text: flow.toString(), hiddenText };
}

function isUnseen({ hidden, tiny, colour, background }: Open): boolean {
  return (
    hidden || tiny || (colour !== undefined && background !== undefined && sameColour(colour, background))
  );
}

function coloursOf(
  declarations: Declarations,
  attributes: ReadonlyMap<string, string>,
  around: Open,
): { colour: Colour; background: Colour } {
  const colour = declarations.get('color');
  const background = declarations.get('background-color') ?? declarations.get('background');
  const hasPicture = attributes.has('background') || declarations.has('background-image');
  const keeps = (value: string | undefined): boolean =>
    value === undefined || /^(inherit|initial|unset|transparent|none)/.test(value);
  return {
    colour: keeps(colour) ? around.colour : parseColour(colour),
    background: hasPicture ? undefined : keeps(background) ? around.background : parseColour(background),
  };
}

function openElement(name: string, flow: TextFlow): void {
  if (name === 'br') flow.newLine();
  else if (name === 'td' || name === 'th') flow.text(' ');
  else if (PARAGRAPHS.has(name)) flow.paragraph();
  else if (BLOCKS.has(name)) flow.line();
  if (name === 'li') flow.text('- ');
  if (name === 'blockquote') flow.quote(1);
  if (name === 'pre') flow.preformatted(1);
}

function closeElement({ name, hidden, href, from }: Open, flow: TextFlow): void {
  if (hidden) return;
  if (name === 'a' && href !== undefined) addTarget(href, from, flow);
  if (name === 'blockquote') flow.quote(-1);
  if (name === 'pre') flow.preformatted(-1);
  if (PARAGRAPHS.has(name)) flow.paragraph();
  else if (BLOCKS.has(name)) flow.line();
}

function addTarget(href: string, from: number, flow: TextFlow): void {
  const target = href.slice(0, 500);
  const shown = flow.since(from).trim();
  const bare = target.replace(/^(https?:\/\/|mailto:|tel:)/i, '').replace(/\/$/, '');
  if (shown === '' || !/^(https?:|mailto:|tel:)/i.test(target) || shown.includes(bare)) return;
  flow.text(` (${target})`);
}

interface ElementStack {
  top(): Open | undefined;
  depth(): number;
  push(element: Open): void;
  /** Ends the innermost element of that name and all inside it; nothing if there is none. */
  close(name: string): void;
  /** Ends what the opening of `name` ends by itself. */
  endImplied(name: string): void;
  isInside(names: ReadonlySet<string>): boolean;
  closeAll(): void;
}

function createStack(onClose: (element: Open) => void): ElementStack {
  const open: Open[] = [];
  // How many of each name are open: an end tag without a start costs nothing, however deep the stack.
  const counts = new Map<string, number>();
  const popTo = (length: number): void => {
    while (open.length > length) {
      const element = open.pop();
      if (!element) return;
      counts.set(element.name, (counts.get(element.name) ?? 1) - 1);
      onClose(element);
    }
  };
  const isOpen = (name: string): boolean => (counts.get(name) ?? 0) > 0;
  const endWithin = (ends: readonly string[], passes: (name: string) => boolean): void => {
    for (let at = open.length - 1; at >= Math.max(0, open.length - LOOK_BACK); at -= 1) {
      const name = open[at]?.name ?? '';
      if (ends.includes(name)) return popTo(at);
      if (!passes(name)) return;
    }
  };
  return {
    top: () => open.at(-1),
    depth: () => open.length,
    push: (element) => {
      open.push(element);
      counts.set(element.name, (counts.get(element.name) ?? 0) + 1);
    },
    close: (name) => {
      if (isOpen(name)) popTo(open.findLastIndex((element) => element.name === name));
    },
    endImplied: (name) => {
      if (isOpen('head') && !OF_HEAD.has(name))
        popTo(open.findLastIndex((element) => element.name === 'head'));
      const isBlock = PARAGRAPHS.has(name) || BLOCKS.has(name);
      if (isBlock && isOpen('p')) endWithin(['p'], (above) => INLINE.has(above));
      const implied = IMPLIED[name];
      if (implied?.ends.some(isOpen)) endWithin(implied.ends, (above) => !implied.fence.includes(above));
    },
    isInside: (names) => [...names].some(isOpen),
    closeAll: () => popTo(0),
  };
}
