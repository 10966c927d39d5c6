import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { notePath } from '#protocol/vault-state.ts';
import type { TaskView } from '#protocol/vault-state.ts';
import type { Machine } from './local-world.ts';

/** What a person does to the vault of one machine, with an editor or the mouse. */
export class VaultHand {
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** A task as this machine's ledger tells it. */
  task(taskId: string): TaskView {
    const task = this.#machine.agent.session.state.tasks.get(taskId);
    if (!task) throw new Error(`${taskId} is not in the ledger`);
    return task;
  }

  /** Where the ledger says that a note stands. */
  place(taskId: string): string {
    return notePath(this.task(taskId)) ?? 'no note';
  }

  has(vaultPath: string): boolean {
    return existsSync(this.#at(vaultPath));
  }

  read(vaultPath: string): string {
    return readFileSync(this.#at(vaultPath), 'utf8');
  }

  write(vaultPath: string, contents: string | Uint8Array): void {
    mkdirSync(path.dirname(this.#at(vaultPath)), { recursive: true });
    writeFileSync(this.#at(vaultPath), contents);
  }

  /** Replaces words in a note where it stands. */
  edit(taskId: string, from: string, to: string): void {
    const place = this.place(taskId);
    if (!this.read(place).includes(from)) throw new Error(`the note does not say ${from}`);
    this.write(place, this.read(place).replace(from, to));
  }

  move(from: string, to: string): void {
    mkdirSync(path.dirname(this.#at(to)), { recursive: true });
    renameSync(this.#at(from), this.#at(to));
  }

  /** Drags the note of a task into another folder; answers where it stands then. */
  drag(taskId: string, folder: string): string {
    const place = this.place(taskId);
    const target = `${folder}/${place.split('/').at(-1) ?? ''}`;
    this.move(place, target);
    return target;
  }

  /** All files of the vault with their texts, but for the pages of the day. */
  tree(): Record<string, string> {
    const files = readdirSync(this.#machine.vault, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => path.relative(this.#machine.vault, path.join(entry.parentPath, entry.name)))
      .filter((name) => !name.startsWith('Briefings/'))
      .sort();
    return Object.fromEntries(files.map((name) => [name, this.read(name)]));
  }

  #at(vaultPath: string): string {
    return path.join(this.#machine.vault, vaultPath);
  }
}
