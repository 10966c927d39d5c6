/** What of an element's look decides whether a reader sees its text. */
export type Declarations = ReadonlyMap<string, string>;

/** Rules of style sheets, by the one class, id or element that they are for. */
export type StyleRules = ReadonlyMap<string, Declarations>;

const MAX_RULES = 2000;
const NAMED_COLOURS: Readonly<Record<string, string>> = {
  white: '#ffffff',
  snow: '#fffafa',
  ivory: '#fffff0',
  whitesmoke: '#f5f5f5',
  black: '#000000',
};

/** Reads the declarations of a `style` attribute or of a rule's body. */
export function parseDeclarations(css: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const declaration of css.slice(0, 20_000).split(';')) {
    const colon = declaration.indexOf(':');
    if (colon < 1) continue;
    const value = declaration.slice(colon + 1).replace(/!\s*important/i, '');
    found.set(declaration.slice(0, colon).trim().toLowerCase(), value.trim().toLowerCase());
  }
  return found;
}

/**
 * Reads a style sheet's simple rules (`.class`, `#id`, `element`, each alone or in a list). Rules inside
 * `@media` and selectors that depend on other elements are passed over.
 */
export function parseStyleSheet(css: string, rules: Map<string, Map<string, string>>): void {
  const text = css
    .slice(0, 500_000)
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/<!--|-->/g, '');
  let at = 0;
  while (rules.size < MAX_RULES) {
    const open = text.indexOf('{', at);
    if (open < 0) return;
    const selector = text.slice(at, open).split(';').at(-1)?.trim() ?? '';
    const isGroup = selector.startsWith('@');
    const close = isGroup ? endOfGroup(text, open) : text.indexOf('}', open);
    if (close < 0) return;
    at = close + 1;
    if (isGroup) continue;
    const declarations = parseDeclarations(text.slice(open + 1, close));
    for (const one of selector.split(',')) {
      const name = one.trim().toLowerCase();
      if (/^[.#]?[\w-]+$/.test(name)) rules.set(name, new Map([...(rules.get(name) ?? []), ...declarations]));
    }
  }
}

/** The declarations that hold for an element: of style sheets, then its own. */
export function declarationsOf(
  name: string,
  attributes: ReadonlyMap<string, string>,
  rules: StyleRules,
): Map<string, string> {
  const classes = (attributes.get('class') ?? '').toLowerCase().split(/\s+/).slice(0, 50);
  const id = attributes.get('id')?.toLowerCase();
  const selectors = [name, ...classes.map((one) => `.${one}`), ...(id ? [`#${id}`] : [])];
  const all = new Map(selectors.flatMap((selector) => [...(rules.get(selector) ?? [])]));
  const bgcolor = attributes.get('bgcolor');
  if (bgcolor) all.set('background-color', bgcolor.toLowerCase());
  const color = name === 'font' ? attributes.get('color') : undefined;
  if (color) all.set('color', color.toLowerCase());
  for (const [property, value] of parseDeclarations(attributes.get('style') ?? '')) all.set(property, value);
  return all;
}

/** Whether an element with these declarations shows nothing, whatever is around it. */
export function hidesContent(declarations: Declarations): boolean {
  const is = (property: string, pattern: RegExp): boolean =>
    pattern.test(declarations.get(property) ?? 'unset');
  const clipped = is('overflow', /^(hidden|clip)/) || is('overflow-y', /^(hidden|clip)/);
  const away = is('position', /^(absolute|fixed)/);
  return (
    is('display', /^none/) ||
    is('visibility', /^(hidden|collapse)/) ||
    is('opacity', /^(0*\.0\d*|0+(\.0*)?)%?$/) ||
    is('color', UNSEEN_INK) ||
    (clipped && ['height', 'max-height', 'width', 'max-width'].some((property) => is(property, NOTHING))) ||
    is('text-indent', FAR_AWAY) ||
    (away && ['left', 'right', 'top', 'bottom'].some((property) => is(property, FAR_AWAY))) ||
    (away && is('clip', /^rect\(\s*0/)) ||
    is('transform', /scale[xy]?\(\s*0*(\.0+)?\s*[,)]/)
  );
}

const NOTHING = /^0+(\.0*)?(px|pt|em|rem|%)?$/;
/** `transparent`, or an alpha of zero in either notation. */
const UNSEEN_INK =
  /^(transparent|(rgb|hsl)a?\(([^,()]+,){3}\s*0+(\.0*)?%?\s*\)|(rgb|hsl)a?\([^()/]*\/\s*0+(\.0*)?%?\s*\))$/;
const FAR_AWAY = /^-\d{3,}/;
/** The largest size of letters, by unit, that nobody can read. */
const TINY: Readonly<Record<string, number>> = { px: 1.5, pt: 1.5, em: 0.1, rem: 0.1, '%': 10, '': 1.5 };

/**
 * Whether the letters of an element are too small to read. Unlike what `hidesContent` finds, an element
 * inside may undo it: mails are laid out with `font-size:0` around columns.
 */
export function isTiny(declarations: Declarations, around: boolean): boolean {
  const [, size, unit = ''] = /^(\d*\.?\d+)\s*([a-z%]*)$/.exec(declarations.get('font-size') ?? '') ?? [];
  const isRelative = unit === 'em' || unit === '%';
  if (size === undefined || (around && isRelative)) return around;
  return Number(size) <= (TINY[unit] ?? 0);
}

/** An opaque colour as red, green, blue; `undefined` when it is none that can be judged. */
export function parseColour(value: string | undefined): readonly [number, number, number] | undefined {
  const text = NAMED_COLOURS[value ?? ''] ?? value ?? '';
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})\b/.exec(text)?.[1];
  if (hex !== undefined) {
    const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex;
    return [parseInt(full.slice(0, 2), 16), parseInt(full.slice(2, 4), 16), parseInt(full.slice(4), 16)];
  }
  const rgb = /^rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})/.exec(text);
  return rgb ? [Number(rgb[1]), Number(rgb[2]), Number(rgb[3])] : undefined;
}

/** Whether nobody could read the one colour on the other. */
export function sameColour(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, index) => Math.abs(value - (b[index] ?? 0)) <= 12);
}

function endOfGroup(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '{') depth += 1;
    if (char === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}
