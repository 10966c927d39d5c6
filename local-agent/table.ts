const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const NARROW_ONLY = /^[\u0020-\u007e]*$/;
// eslint-disable-next-line no-control-regex -- colour sequences take no room
const COLOURS = /\u001b\[[0-9;]*m/g;

/**
 * Rows as text with aligned columns: a head, then the rows; two spaces between. Widths are those of a
 * terminal (East Asian characters and emoji take two cells, combining marks none).
 *
 * @example table(['ID', 'STATE'], [['t3f9', 'done']])
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_title, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ''))));
  return all
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** How many cells of a terminal a text takes. */
export function displayWidth(text: string): number {
  const bare = text.replace(COLOURS, '');
  if (NARROW_ONLY.test(bare)) return bare.length;
  let width = 0;
  for (const character of bare) {
    if (/^\p{M}$|\u200d|\ufe0f/u.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - displayWidth(cell)));
}
