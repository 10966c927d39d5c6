import fc from 'fast-check';
import { makeAgent } from '#local-agent/make-agent.ts';
import type { Agent, AgentPorts } from '#local-agent/agent.ts';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { SyncReport } from '#local-agent/sync/sync.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { contentsOf } from '#protocol/ledger-contents.ts';
import { LedgerEntry, openBody } from '#protocol/ledger-entry.ts';
import { foldName } from '#protocol/vault-path.ts';
import { crashingPorts, CrashError } from './crash-ports.ts';
import { createMemoryMachines } from './memory-machines.ts';
import type { MachineName, MemoryMachines } from './memory-machines.ts';

/** Names that get in each other's way: nested, alike, shared and private. */
const PATHS = [
  'a',
  'b',
  'c.md',
  'A',
  'a/b',
  'a/c',
  'x/a.md',
  'x/b.md',
  'y/a.md',
  'x/y/a.md',
  'Templates/a.md',
  'Templates/b.md',
] as const;
const FOLDERS = ['a', 'x', 'y', 'x/y', 'z', 'Templates'] as const;

const side = fc.constantFrom('laptop' as const, 'desktop' as const);
const path = fc.constantFrom(...PATHS);
const folder = fc.constantFrom(...FOLDERS);
const change = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), path, line: fc.nat({ max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), path, to: path }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('save' as const), path, line: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('copy' as const), path, to: path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('swap' as const), path, to: path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recase' as const), path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('moveFolder' as const), path: folder, to: folder }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fileForFolder' as const), path: folder }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('folderForFile' as const), path }) },
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

const at = fc.integer({ min: 1, max: 60 });
const when = fc.constantFrom('before' as const, 'after' as const);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('person' as const), side, change }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sync' as const), side }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), side, at, when }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), side, at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('meanwhile' as const), side, at, change }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('race' as const), side, at }) },
);

/** What two people do at two vaults, and what befalls the syncs meanwhile. */
const plays = fc.array(step, { minLength: 3, maxLength: 28 });
type Play = typeof plays extends fc.Arbitrary<infer T> ? T : never;

/**
 * Plays at random and checks the laws; a failure names its seed and the shortest play that shows it.
 */
export async function checkModel(numRuns: number): Promise<void> {
  const first = fc.constantFrom('laptop' as const, 'desktop' as const);
  const property = fc.asyncProperty(plays, first, async (steps, name) => {
    const model = await SyncModel.create();
    try {
      await model.play(steps);
      await model.settle(name);
    } finally {
      model.dispose();
    }
  });
  await fc.assert(property, { numRuns });
}

type Name = MachineName;

/** The reply to one call was lost; the call took effect. */
class LostReplyError extends Error {}

/** Two machines in memory with what is known of every version that was ever written. */
class SyncModel {
  readonly #machines: MemoryMachines;
  /** Lines that a person wrote; each is the only one of its kind. */
  readonly #lines = new Set<string>();
  /** Lines that a person took out of a file, or a file with them, on either side. */
  readonly #dropped = new Set<string>();
  readonly #history = new Set<string>();
  #historyTo = 0;
  #count = 0;
  #writes = 0;

  private constructor(machines: MemoryMachines) {
    this.#machines = machines;
    for (const name of ['laptop', 'desktop'] as const) this.#watch(name);
  }

  static async create(): Promise<SyncModel> {
    return new SyncModel(await createMemoryMachines());
  }

  dispose(): void {
    this.#machines.dispose();
  }

  /** Plays it, and checks after each sync that nothing that it saw is lost. */
  async play(steps: Play): Promise<void> {
    for (const each of steps) {
      if (each.do === 'person') this.#person(each.side, each.change);
      else if (each.do === 'sync') await this.sync(each.side);
      else if (each.do === 'die') await this.#dying(each.side, each);
      else if (each.do === 'lose') await this.#losing(each.side, each.at);
      else if (each.do === 'race') await this.#racing(each.side, each.at);
      else await this.#meanwhile(each.side, each.at, each.change);
    }
  }

  /** Nobody changes anything any more: what must hold after two rounds. */
  async settle(first: Name): Promise<void> {
    const order: Name[] = first === 'laptop' ? ['laptop', 'desktop'] : ['desktop', 'laptop'];
    const reports = new Map<Name, SyncReport>();
    for (const name of [...order, ...order]) reports.set(name, await this.sync(name));
    const entries = this.#machines.world.ledger.rows.length;
    const writes = this.#writes;
    for (const name of order) {
      const report = await this.sync(name);
      reports.set(name, report);
      requireThat(report.applied === 0 && report.pushed === 0, `a further sync of ${name} did something`);
    }
    requireThat(this.#machines.world.ledger.rows.length === entries, 'a further sync wrote into the ledger');
    requireThat(this.#writes === writes, 'a further sync wrote into a vault');
    this.#requireEqualTrees(reports);
    const texts = [...this.#texts('laptop').values(), ...this.#texts('desktop').values()]
      .join('\n')
      .split('\n');
    const live = new Set(texts);
    for (const line of this.#lines) {
      requireThat(live.has(line) || this.#dropped.has(line), `${line} is gone, and nobody took it out`);
    }
    for (const { agent } of [this.#machines.laptop, this.#machines.desktop]) {
      requireThat(agent.session.state.refusals.length === 0, JSON.stringify(agent.session.state.refusals));
    }
    await this.#requireSoundLedger();
  }

  async sync(name: Name): Promise<SyncReport> {
    const before = this.#versions(name);
    const report = await syncVault(this.#machines[name].agent);
    const after = this.#versions(name);
    this.#readHistory();
    for (const [hash, path] of before) {
      const kept = this.#history.has(hash) || after.has(hash);
      requireThat(kept, `the version of ${path} that ${name} saw is neither in history nor on the disk`);
    }
    return report;
  }

  /** Counts what syncs write, besides what else is to happen at each step. */
  #watch(name: Name, also: () => void = () => undefined): void {
    this.#machines[name].onStep = (at) => {
      if (at === 'written' || at === 'moved' || at === 'removed') this.#writes += 1;
      also();
    };
  }

  #start(name: Name, ports: Partial<AgentPorts> = {}): Agent {
    return this.#machines[name].start(ports);
  }

  /** A sync whose process dies at a call of a port. */
  async #dying(name: Name, plan: { at: number; when: 'before' | 'after' }): Promise<void> {
    const { ports } = crashingPorts(this.#start(name), plan);
    await tryTo(() => syncVault(this.#start(name, ports)));
    this.#machines[name].agent = this.#start(name);
  }

  /** A sync that hears nothing of one call that took effect. */
  async #losing(name: Name, at: number): Promise<void> {
    let calls = 0;
    const wrap = <T extends object>(port: T): T =>
      new Proxy(port, {
        get: (target, member) => {
          const method: unknown = Reflect.get(target, member);
          if (typeof method !== 'function') return method;
          return async (...args: unknown[]): Promise<unknown> => {
            const result: unknown = await Reflect.apply(method, target, args);
            if (++calls === Math.ceil(at / 10)) throw new LostReplyError('the reply was lost');
            return result;
          };
        },
      });
    const { ledger, blobs } = this.#machines.world;
    await tryTo(() => syncVault(this.#start(name, { ledger: wrap(ledger), blobs: wrap(blobs) })));
    this.#machines[name].agent = this.#start(name);
  }

  /** A person works on while the sync runs. */
  async #meanwhile(name: Name, at: number, what: Change): Promise<void> {
    let calls = 0;
    this.#watch(name, () => {
      if (++calls === at) this.#person(name, what);
    });
    try {
      await syncVault(this.#machines[name].agent);
    } finally {
      this.#watch(name);
    }
  }

  /** The other machine syncs right before one of this one's calls of the ledger. */
  async #racing(name: Name, at: number): Promise<void> {
    const other = name === 'laptop' ? 'desktop' : 'laptop';
    const { ledger } = this.#machines.world;
    let calls = 0;
    const race = async (): Promise<void> => {
      if (++calls === Math.ceil(at / 15)) await syncVault(this.#machines[other].agent);
    };
    const racing: AgentPorts['ledger'] = {
      append: async (entry) => (await race(), ledger.append(entry)),
      read: async (vaultId, after) => (await race(), ledger.read(vaultId, after)),
    };
    await syncVault(this.#start(name, { ledger: racing }));
    this.#machines[name].agent = this.#start(name);
  }

  #person(name: Name, what: Change): void {
    const { person } = this.#machines[name].files;
    const { path } = what;
    const paths = person.paths().filter((each) => !each.startsWith('.'));
    const isFile = paths.includes(path);
    const below = paths.filter((each) => each.startsWith(`${path}/`));
    const isFree = (target: string): boolean =>
      !paths.some(
        (each) => each === target || each.startsWith(`${target}/`) || target.startsWith(`${each}/`),
      );
    switch (what.do) {
      case 'write':
      case 'save': {
        if (!isFile && !isFree(path)) return;
        const text = person.text(path) ?? '';
        const lines = isFile ? text.split('\n') : Array.from({ length: 5 }, () => this.#line());
        if (isFile) {
          const old = lines[what.line];
          if (old !== undefined) this.#dropped.add(old);
          lines[Math.min(what.line, lines.length)] = this.#line();
        }
        // As editors do that write a new file and give it the name of the old one.
        if (what.do === 'save') person.remove(path);
        this.#clearFolder(name, path);
        person.save(path, lines.join('\n'));
        return;
      }
      case 'remove':
        if (isFile) this.#remove(name, path);
        return;
      case 'move':
        if (!isFile || path === what.to) return;
        if (paths.includes(what.to)) this.#drop(name, what.to);
        else if (!isFree(what.to)) return;
        this.#clearFolder(name, what.to);
        person.move(path, what.to);
        return;
      case 'copy':
        if (!isFile || !isFree(what.to)) return;
        this.#clearFolder(name, what.to);
        person.save(what.to, person.text(path) ?? '');
        return;
      case 'swap':
        if (!isFile || !paths.includes(what.to) || path === what.to) return;
        person.move(path, '.t');
        person.move(what.to, path);
        person.move('.t', what.to);
        return;
      case 'recase': {
        const to = path === path.toUpperCase() ? path.toLowerCase() : path.toUpperCase();
        if (path.startsWith('Templates') || !isFile || !isFree(to)) return;
        person.move(path, to);
        return;
      }
      case 'moveFolder':
        if (below.length === 0 || !isFree(what.to) || `${what.to}/`.startsWith(`${path}/`)) return;
        this.#clearFolder(name, what.to);
        for (const each of below) person.move(each, what.to + each.slice(path.length));
        return;
      case 'fileForFolder':
        if (below.length === 0 || path === 'Templates') return;
        for (const each of below) this.#remove(name, each);
        this.#clearFolder(name, path);
        person.save(path, this.#line());
        return;
      case 'folderForFile':
        if (!isFile) return;
        this.#remove(name, path);
        person.save(`${path}/new.md`, this.#line());
    }
  }

  #remove(name: Name, path: string): void {
    this.#drop(name, path);
    this.#machines[name].files.person.remove(path);
  }

  #drop(name: Name, path: string): void {
    for (const line of (this.#machines[name].files.person.text(path) ?? '').split('\n'))
      this.#dropped.add(line);
  }

  /** Empty folders that stand where a file is to be. */
  #clearFolder(name: Name, path: string): void {
    this.#machines[name].files.person.clearFolder(path);
  }

  #line(): string {
    const line = `line ${++this.#count}`;
    this.#lines.add(line);
    return line;
  }

  #texts(name: Name): Map<string, string> {
    return new Map(Object.entries(this.#machines[name].tree()));
  }

  #versions(name: Name): Map<string, string> {
    return new Map([...this.#texts(name)].map(([path, text]) => [sha256Hex(text), path]));
  }

  #readHistory(): void {
    const { rows } = this.#machines.world.ledger;
    for (; this.#historyTo < rows.length; this.#historyTo += 1) {
      const entry = LedgerEntry.parse(rows[this.#historyTo]?.entry);
      const body = openBody(entry, this.#machines.world.agent.keys.keyring);
      for (const { sha256 } of body ? contentsOf(body) : []) this.#history.add(sha256);
    }
  }

  /** But for twins in case, which stay on one machine and are listed. */
  #requireEqualTrees(reports: ReadonlyMap<Name, SyncReport>): void {
    const names = ['laptop', 'desktop'] as const;
    const trees = names.map((name) => {
      const tree = this.#texts(name);
      for (const { path, why } of reports.get(name)?.withheld ?? []) {
        requireThat(why.includes('only in case'), `${path} is withheld on ${name}: ${why}`);
        const twins = [...this.#machines[name].agent.session.state.files.keys(), ...tree.keys()];
        requireThat(
          twins.some((each) => each !== path && foldName(each) === foldName(path)),
          `${path} has no twin`,
        );
        tree.delete(path);
      }
      return JSON.stringify([...tree].sort(), null, 1);
    });
    requireThat(trees[0] === trees[1], `the trees differ:\n${trees.join('\n')}`);
  }

  async #requireSoundLedger(): Promise<void> {
    const { keyring } = this.#machines.world.agent.keys;
    const copy = new LedgerCopy(':memory:', keyring);
    try {
      const { session } = makeAgent({ ...this.#machines.world.agent, copy });
      await session.pull();
      const paths = [...session.state.files.keys()];
      requireThat(new Set(paths.map(foldName)).size === paths.length, 'the ledger holds twins');
      const nested = paths.some((each) =>
        paths.some((other) => foldName(other).startsWith(`${foldName(each)}/`)),
      );
      requireThat(!nested, 'the ledger holds a file and a folder of one name');
    } finally {
      copy.close();
    }
  }
}

function requireThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

async function tryTo(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CrashError) && !(error instanceof LostReplyError)) throw error;
  }
}
