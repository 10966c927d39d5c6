import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { rejectTask } from '#local-agent/reject.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { SyncReport } from '#local-agent/sync/sync.ts';
import { EmployeeError } from '#protocol/errors.ts';
import { contentsOf } from '#protocol/ledger-contents.ts';
import { LedgerEntry, openBody } from '#protocol/ledger-entry.ts';
import { withCallout } from '#protocol/note-explanation.ts';
import { CrashError, crashingPorts } from './crash-ports.ts';
import { createLocalWorld } from './local-world.ts';
import type { LocalWorld } from './local-world.ts';
import { notePlays, SIDES } from './note-plays.ts';
import type { NoteStep, Side } from './note-plays.ts';

/**
 * Two people at two vaults do whatever can be done to the notes of tasks, the cloud drafts again, and syncs
 * die. After each sync every version that it saw is on the disk or in the ledger, beside what a note explains;
 * in the end both trees are equal and a further sync does nothing.
 */
export async function checkNoteModel(numRuns: number): Promise<void> {
  const property = fc.asyncProperty(notePlays, async (steps) => {
    const model = await NoteModel.create();
    try {
      for (const each of steps) await model.take(each);
      await model.settle();
    } finally {
      model.dispose();
    }
  });
  await fc.assert(property, { numRuns });
}

class NoteModel {
  readonly #world: LocalWorld;
  readonly #tasks: readonly string[];
  readonly #agents: Record<Side, Agent>;
  readonly #history = new Set<string>();
  #historyTo = 0;
  #count = 0;

  private constructor(world: LocalWorld, tasks: readonly string[]) {
    this.#world = world;
    this.#tasks = tasks;
    this.#agents = { laptop: world.machine('laptop').agent, desktop: world.machine('desktop').agent };
  }

  static async create(): Promise<NoteModel> {
    const world = await createLocalWorld([...SIDES]);
    const tasks = [await world.draft('lunch'), await world.draft('dinner', 'Hi,\n\nyes\n\nBye')];
    const model = new NoteModel(world, tasks);
    for (const each of SIDES) await model.#sync(each);
    return model;
  }

  dispose(): void {
    this.#world.dispose();
  }

  async take(what: NoteStep): Promise<void> {
    if (what.do === 'sync') await this.#sync(what.side);
    else if (what.do === 'die') await this.#die(what.side, what);
    else if (what.do === 'redraft') await this.#redraft(this.#task(what.n), what.side === 'laptop');
    else if (what.do === 'approve' || what.do === 'reject') await this.#decide(what);
    else this.#person(what);
    this.#readHistory();
  }

  /** Nobody changes anything any more. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) for (const each of SIDES) await this.#sync(each);
    const entries = this.#world.ledger.rows.length;
    // What one machine keeps to itself, such as a copy that was dragged to where nothing is taken up, is elsewhere as it was.
    const withheld = new Set<string>();
    for (const each of SIDES) {
      const report = await this.#sync(each);
      requireThat(report?.applied === 0 && report.pushed === 0, `a further sync of ${each} did something`);
      for (const stays of report?.withheld ?? []) withheld.add(stays.path);
      const { refusals } = this.#agents[each].session.state;
      requireThat(!refusals.some(({ severity }) => severity === 'incident'), JSON.stringify(refusals));
    }
    requireThat(this.#world.ledger.rows.length === entries, 'a further sync wrote into the ledger');
    const trees = SIDES.map((each) => {
      const synced = this.#files(each).filter((name) => !withheld.has(name));
      return JSON.stringify(synced.map((name) => [name, this.#read(each, name)]));
    });
    requireThat(trees[0] === trees[1], `the trees differ:\n${trees.join('\n')}`);
  }

  async #sync(who: Side, agent = this.#agents[who]): Promise<SyncReport | undefined> {
    const before = this.#files(who).map((name) => [name, bare(this.#read(who, name))] as const);
    let report: SyncReport | undefined;
    try {
      report = await syncVault(agent);
    } catch (error) {
      if (!(error instanceof CrashError)) throw error;
    }
    this.#readHistory();
    const after = new Set(this.#files(who).map((name) => bare(this.#read(who, name))));
    for (const [name, text] of before)
      requireThat(after.has(text) || this.#history.has(text), `${name} of ${who} is lost:\n${text}`);
    return report;
  }

  async #die(who: Side, plan: { at: number; when: 'before' | 'after' }): Promise<void> {
    const machine = this.#world.machine(who);
    await this.#sync(who, machine.restart(crashingPorts(machine.restart(), plan).ports));
    this.#agents[who] = machine.restart();
  }

  async #decide(what: Extract<NoteStep, { do: 'approve' | 'reject' }>): Promise<void> {
    const agent = this.#agents[what.side];
    const taskId = this.#task(what.n);
    try {
      if (what.do === 'approve') await approveTask(agent, taskId, { method: 'command' });
      else await rejectTask(agent, taskId, 'no');
    } catch (error) {
      if (!(error instanceof EmployeeError)) throw error;
    }
  }

  async #redraft(taskId: string, isFinished: boolean): Promise<void> {
    const { session } = this.#agents.laptop;
    await session.pull();
    const task = session.state.tasks.get(taskId);
    if (task?.state !== 'pending_approval' || !task.note) return;
    const { note } = task;
    const [epoch, owner] = [task.epoch + 1, 'cloud'];
    await this.#world.forge('local', {
      kind: 'task',
      changes: [{ taskId, epoch: task.epoch, event: 'redraft', reason: 'shorter' }],
    });
    const changes = [{ taskId, epoch, event: 'draft_started' as const, owner }];
    await this.#world.forge('cloud', { kind: 'task', changes });
    if (!isFinished) return;
    await this.#world.forge('cloud', {
      kind: 'task',
      changes: [{ taskId, epoch, event: 'drafted', owner, note }],
    });
  }

  #person(what: Exclude<NoteStep, { do: 'sync' | 'die' | 'redraft' | 'approve' | 'reject' }>): void {
    const files = this.#files(what.side);
    const name = files[what.n % Math.max(1, files.length)];
    if (name === undefined) return;
    const place = this.#at(what.side, name);
    const text = readFileSync(place, 'utf8');
    switch (what.do) {
      case 'edit': {
        const lines = text.split('\n');
        const words = ++this.#count;
        lines[what.line % lines.length] = what.line < 8 ? `x${words}: words ${words}` : `words ${words}`;
        writeFileSync(place, lines.join('\n'));
        return;
      }
      case 'drag':
        return this.#move(what.side, name, `${what.folder}/${path.basename(name)}`);
      case 'rename':
        return this.#move(what.side, name, `${path.dirname(name)}/renamed ${++this.#count}.md`);
      case 'copy': {
        const target = this.#at(what.side, `${what.folder}/${path.basename(name)}`);
        if (existsSync(target)) return;
        mkdirSync(path.dirname(target), { recursive: true });
        writeFileSync(target, what.same ? text : `${text}\nadded ${++this.#count}\n`);
        return;
      }
      case 'remove':
        rmSync(place);
        return;
      case 'ruin':
        writeFileSync(place, `no note any more ${++this.#count}`);
        return;
      case 'swap': {
        const other = this.#at(what.side, files[what.other % files.length] ?? name);
        if (other === place) return;
        renameSync(place, `${place}.swap`);
        renameSync(other, place);
        renameSync(`${place}.swap`, other);
      }
    }
  }

  #move(who: Side, from: string, to: string): void {
    if (existsSync(this.#at(who, to))) return;
    mkdirSync(path.dirname(this.#at(who, to)), { recursive: true });
    renameSync(this.#at(who, from), this.#at(who, to));
  }

  #readHistory(): void {
    const { rows } = this.#world.ledger;
    for (; this.#historyTo < rows.length; this.#historyTo += 1) {
      const entry = LedgerEntry.parse(rows[this.#historyTo]?.entry);
      const body = openBody(entry, this.#world.agent.keys.keyring);
      for (const content of body ? contentsOf(body) : [])
        if ('text' in content) this.#history.add(bare(content.text));
    }
  }

  #task(index: number): string {
    return this.#tasks[index % this.#tasks.length] ?? '';
  }

  #at(who: Side, name: string): string {
    return path.join(this.#world.machine(who).vault, name);
  }

  #read(who: Side, name: string): string {
    return readFileSync(this.#at(who, name), 'utf8');
  }

  /** Beside the pages of the day, which each machine writes for itself. */
  #files(who: Side): string[] {
    const { vault } = this.#world.machine(who);
    return readdirSync(vault, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(vault, path.join(entry.parentPath, entry.name)))
      .filter((name) => !/(^|\/)\./.test(name) && !name.startsWith('Briefings/'))
      .sort();
  }
}

/** What a note says without what it explains, and without the blank lines that come and go with that. */
function bare(text: string): string {
  return withCallout(text, '')
    .replace(/^[\r\n]+/, '')
    .replace(/\n\n+/g, '\n\n');
}

function requireThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
