/** One step that a model can make. */
export interface Step<State> {
  /** Who does what, for a person to read in a trace. */
  readonly label: string;
  readonly to: State;
  /** What no step may do, if this one did it. */
  readonly wrong?: string | undefined;
}

/** A protocol in small: states are plain data and never changed, all that can happen next is in `steps`. */
export interface Model<State> {
  readonly initial: State;
  /** Everything that can happen in a state, each possibility once. */
  steps(state: State): Iterable<Step<State>> | Promise<Iterable<Step<State>>>;
  /** The same text for two states if, and only if, all that matters is the same in both but for the agents' names. */
  key(state: State): string;
  /** What is wrong with a state, if anything is. */
  check(state: State): string | undefined | Promise<string | undefined>;
  /** A state in which the work has come to an end, or waits where anybody can go on. One must be in reach of every state. */
  isGoal(state: State): boolean;
}

/** A violation with the shortest way to it. */
export interface Violation {
  readonly wrong: string;
  readonly trace: readonly string[];
}

/** What was explored. `depth` is the length of the longest of all shortest ways. */
export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly goals: number;
  readonly violation?: Violation;
}

/**
 * Visits every state that can be reached, breadth first, so that the first violation that is found is one with the
 * fewest steps. A state from which no goal can be reached any more is a violation too (a dead end).
 *
 * @throws {Error} when there are more states than `maxStates`: the model is not as small as it should be.
 */
export async function explore<State>(model: Model<State>, maxStates = 3_000_000): Promise<Exploration> {
  const visited = new Map<string, number>([[model.key(model.initial), 0]]);
  const parents: number[] = [-1];
  const labels: string[] = [''];
  const depths: number[] = [0];
  const edges: { readonly from: number[]; readonly to: number[] } = { from: [], to: [] };
  const goals: number[] = [];
  // Only what is still to be visited is kept whole.
  let layer: { readonly state: State; readonly index: number }[] = [{ state: model.initial, index: 0 }];
  let depth = 0;

  const traceTo = (index: number): string[] => {
    const trace: string[] = [];
    for (let at = index; at > 0; at = parents[at] ?? 0) trace.unshift(labels[at] ?? '');
    return trace;
  };
  const report = (violation?: Violation): Exploration => ({
    states: visited.size,
    transitions: edges.to.length,
    depth,
    goals: goals.length,
    ...(violation ? { violation } : {}),
  });

  const wrong = await model.check(model.initial);
  if (wrong !== undefined) return report({ wrong, trace: [] });
  while (layer.length > 0) {
    const next: typeof layer = [];
    for (const { state, index } of layer) {
      if (model.isGoal(state)) goals.push(index);
      const made = model.steps(state);
      // Most models answer at once; waiting for them would cost more than they do.
      for (const step of made instanceof Promise ? await made : made) {
        if (step.wrong !== undefined) {
          return report({ wrong: step.wrong, trace: [...traceTo(index), step.label] });
        }
        const key = model.key(step.to);
        const known = visited.get(key);
        edges.from.push(index);
        edges.to.push(known ?? visited.size);
        if (known !== undefined) continue;
        const found = visited.size;
        if (found >= maxStates) throw new Error(`more than ${maxStates} states: this is no model in small`);
        visited.set(key, found);
        parents.push(index);
        labels.push(step.label);
        depths.push((depths[index] ?? 0) + 1);
        depth = Math.max(depth, depths[found] ?? 0);
        const checked = model.check(step.to);
        const bad = checked instanceof Promise ? await checked : checked;
        if (bad !== undefined) return report({ wrong: bad, trace: traceTo(found) });
        next.push({ state: step.to, index: found });
      }
    }
    layer = next;
  }
  const dead = firstDeadEnd(visited.size, edges, goals);
  return report(
    dead === undefined
      ? undefined
      : { wrong: 'a dead end: the work can never come to an end from here', trace: traceTo(dead) },
  );
}

/** The first state, in the order of visits, from which no goal can be reached: found backwards from the goals. */
function firstDeadEnd(
  states: number,
  { from, to }: { readonly from: readonly number[]; readonly to: readonly number[] },
  goals: readonly number[],
): number | undefined {
  // The edges into each state, as a list through `before`.
  const last = new Int32Array(states).fill(-1);
  const before = new Int32Array(to.length).fill(-1);
  to.forEach((state, edge) => {
    before[edge] = last[state] ?? -1;
    last[state] = edge;
  });
  const reaches = new Uint8Array(states);
  const open = [...goals];
  for (const goal of goals) reaches[goal] = 1;
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (let edge = last[state] ?? -1; edge >= 0; edge = before[edge] ?? -1) {
      const source = from[edge] ?? 0;
      if (reaches[source] === 1) continue;
      reaches[source] = 1;
      open.push(source);
    }
  }
  const dead = reaches.indexOf(0);
  return dead < 0 ? undefined : dead;
}

/** The figures of an exploration in one line. */
export function figures(name: string, { states, transitions, depth, goals }: Exploration): string {
  const count = (value: number): string => value.toLocaleString('en');
  return `${name}: ${count(states)} states, ${count(transitions)} transitions, depth ${depth}, ${count(goals)} goals`;
}
