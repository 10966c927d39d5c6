const NAME = /\b([aw])(\d)\b/;

/** All orders of so many agents, by number: a state and its twin with the agents' names exchanged are one. */
export function orders(agents: number): number[][] {
  if (agents === 0) return [[]];
  return orders(agents - 1).flatMap((order) =>
    Array.from({ length: agents }, (_, place) => [
      ...order.slice(0, place),
      agents - 1,
      ...order.slice(place),
    ]),
  );
}

/**
 * One text for a state and all its twins. Agents are called `a0`, `a1` and so on (or `w0` …) wherever they are named.
 *
 * @param twins the orders in which the agents may be put without any difference.
 * @param shared what belongs to no agent.
 * @param own what belongs to each.
 */
export function symmetricKey(
  twins: readonly (readonly number[])[],
  shared: string,
  own: readonly string[],
): string {
  const parts = [shared, ...own].map((text) => text.split(NAME));
  let least: string | undefined;
  for (const order of twins) {
    const [first = '', ...rest] = parts.map((pieces) => renamed(pieces, order));
    const places: string[] = [];
    for (const [index, text] of rest.entries()) places[order[index] ?? index] = text;
    const key = `${first}|${places.join('|')}`;
    if (least === undefined || key < least) least = key;
  }
  return least ?? '';
}

/** Every second and third piece of three are an agent's letter and number. */
function renamed(pieces: readonly string[], order: readonly number[]): string {
  let text = pieces[0] ?? '';
  for (let at = 1; at < pieces.length; at += 3) {
    text += `${pieces[at] ?? ''}${order[Number(pieces[at + 1])] ?? ''}${pieces[at + 2] ?? ''}`;
  }
  return text;
}
