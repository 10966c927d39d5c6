/** Something that a program gets to know, with a short text that tells it from all else. */
export type Happening =
  | { readonly kind: 'reply'; readonly text: string; readonly value: unknown }
  /** The request failed; whether it took effect, the program cannot know. */
  | { readonly kind: 'failed' }
  /** The process dies and a new one starts, with what the machine has kept. */
  | { readonly kind: 'crash' };

/** What a machine does at each start. `seen` is what may be known of it from outside, by value. */
export interface Machine<Seen> {
  run(start: number): Promise<void>;
  seen(): Seen;
}

/** The way out: each request of a program goes through here, one at a time. */
export type Ask<Request> = (request: Request) => Promise<unknown>;

/** Where a program stands: it waits for the answer to a request, or has ended. */
export interface Moment<Request, Seen> {
  readonly history: string;
  readonly request: Request | undefined;
  readonly seen: Seen;
}

interface Node<Request, Seen> extends Moment<Request, Seen> {
  readonly parent: Node<Request, Seen> | undefined;
  readonly happening: Happening | undefined;
  readonly next: Map<string, Node<Request, Seen>>;
  /** The program itself, waiting here. Gone once it went on. */
  live: Live<Request, Seen> | undefined;
}

/** The request failed on its way there or back. */
export class NoReplyError extends Error {}

/**
 * Runs real asynchronous code one request at a time, and from each point on in every way that there is. A running
 * program cannot be copied, so it is run anew from its start with the same answers: nothing but its answers decides
 * what it does (its clock, its ids and its disk are its own and deterministic), so they bring it to the same point.
 * Each history is run once.
 */
export class SteppedCode<Request, Seen> {
  readonly #boot: (ask: Ask<Request>) => Machine<Seen>;
  #start: Promise<Node<Request, Seen>> | undefined;
  /** How often the program was run from its start. */
  runs = 0;

  constructor(boot: (ask: Ask<Request>) => Machine<Seen>) {
    this.#boot = boot;
  }

  start(): Promise<Moment<Request, Seen>> {
    this.#start ??= this.#launch([]).then((live) => nodeOf(live, undefined, undefined));
    return this.#start;
  }

  /** The moment after this one, when this happens. */
  async after(moment: Moment<Request, Seen>, happening: Happening): Promise<Moment<Request, Seen>> {
    const node = moment as Node<Request, Seen>;
    const text = textOf(happening);
    const known = node.next.get(text);
    if (known) return known;
    const live = node.live ?? (await this.#launch(historyOf(node)));
    node.live = undefined;
    await live.go(happening);
    const next = nodeOf(live, node, happening);
    node.next.set(text, next);
    return next;
  }

  async #launch(history: readonly Happening[]): Promise<Live<Request, Seen>> {
    this.runs += 1;
    const live = new Live(this.#boot);
    await live.settled();
    for (const happening of history) await live.go(happening);
    return live;
  }
}

/** One running program. */
class Live<Request, Seen> {
  readonly #machine: Machine<Seen>;
  #starts = 0;
  #asked: { readonly request: Request; readonly answer: (happening: Happening) => void } | undefined;
  #wake: () => void = () => undefined;
  #waits: Promise<void>;

  constructor(boot: (ask: Ask<Request>) => Machine<Seen>) {
    this.#waits = this.#nextWait();
    this.#machine = boot((request) => this.#ask(request));
    this.#run();
  }

  get request(): Request | undefined {
    return this.#asked?.request;
  }

  seen(): Seen {
    return structuredClone(this.#machine.seen());
  }

  settled(): Promise<void> {
    return this.#waits;
  }

  async go(happening: Happening): Promise<void> {
    const asked = this.#asked;
    this.#asked = undefined;
    this.#waits = this.#nextWait();
    // A dead process never hears the answer to what it asked.
    if (happening.kind === 'crash') this.#run();
    else asked?.answer(happening);
    await this.#waits;
  }

  #run(): void {
    this.#starts += 1;
    const start = this.#starts;
    const ended = (): void => {
      if (start === this.#starts) this.#wake();
    };
    void this.#machine.run(start).then(ended, (error: unknown) => {
      if (start === this.#starts) this.#fail(error);
    });
  }

  #ask(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#asked) throw new Error('two requests at once: these models know only one at a time');
      this.#asked = {
        request,
        answer: (happening) => {
          if (happening.kind === 'reply') resolve(structuredClone(happening.value));
          else reject(new NoReplyError('no reply'));
        },
      };
      this.#wake();
    });
  }

  #fail: (error: unknown) => void = () => undefined;

  #nextWait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      this.#fail = (error) => reject(error instanceof Error ? error : new Error(String(error)));
    });
  }
}

function nodeOf<Request, Seen>(
  live: Live<Request, Seen>,
  parent: Node<Request, Seen> | undefined,
  happening: Happening | undefined,
): Node<Request, Seen> {
  return {
    history: parent && happening ? `${parent.history} ${textOf(happening)}` : '',
    request: live.request,
    seen: live.seen(),
    ...{ parent, happening, live, next: new Map() },
  };
}

function historyOf<Request, Seen>(node: Node<Request, Seen>): Happening[] {
  const history: Happening[] = [];
  for (let at: Node<Request, Seen> | undefined = node; at?.happening; at = at.parent) {
    history.unshift(at.happening);
  }
  return history;
}

function textOf(happening: Happening): string {
  return happening.kind === 'reply' ? happening.text : happening.kind;
}
