/** A file (with bytes) or a folder (with names). */
export interface Node {
  readonly ino: number;
  mode: number;
  bytes: Uint8Array;
  /** The bytes that a power cut leaves for certain. */
  durable: Uint8Array;
  readonly names: Map<string, Node> | undefined;
  links: number;
  modifiedMs: number;
}

/** One name that comes, goes (`undefined`) or changes what it stands for. */
export interface NameChange {
  readonly folder: Node;
  readonly name: string;
  readonly node: Node | undefined;
}

/**
 * What of a disk is durable. Changes of names wait in one journal and become durable in its order: a sync of a
 * file or folder brings all up to the last one that concerns it. Bytes become durable by a sync of their file.
 */
export class DiskJournal {
  readonly root: Node;
  #made = 0;
  #clockMs = 0;
  /** Each is all or nothing; a rename changes two names. */
  #waiting: (readonly NameChange[])[] = [];
  readonly #durableNames = new Map<Node, Map<string, Node>>();
  readonly #dirty = new Set<Node>();

  constructor() {
    this.root = this.make('folder', 0o755);
  }

  make(kind: 'file' | 'folder', mode: number): Node {
    this.#made += 1;
    const names = kind === 'folder' ? new Map<string, Node>() : undefined;
    const [bytes, durable] = [new Uint8Array(), new Uint8Array()];
    return { ino: this.#made, mode, bytes, durable, names, links: 0, modifiedMs: this.#tick() };
  }

  change(changes: readonly NameChange[]): void {
    for (const { folder, name, node } of changes) {
      const before = folder.names?.get(name);
      if (before) before.links -= 1;
      if (node) node.links += 1;
      setName(folder.names, name, node);
      folder.modifiedMs = this.#tick();
    }
    this.#waiting.push(changes);
  }

  write(node: Node, bytes: Uint8Array): void {
    node.bytes = Uint8Array.from(bytes);
    node.modifiedMs = this.#tick();
    this.#dirty.add(node);
  }

  sync(node: Node): void {
    node.durable = node.bytes;
    this.#dirty.delete(node);
    this.#settle(
      1 + this.#waiting.findLastIndex((all) => all.some((one) => one.folder === node || one.node === node)),
    );
  }

  syncAll(): void {
    for (const node of this.#dirty) node.durable = node.bytes;
    this.#dirty.clear();
    this.#settle(this.#waiting.length);
  }

  powerCut(random: () => number): void {
    this.#settle(Math.floor(random() * (this.#waiting.length + 1)));
    this.#waiting = [];
    for (const node of this.#dirty) {
      const chance = random();
      if (chance < 0.4) node.durable = node.bytes;
      // A file whose length reached the disk before all of its bytes did.
      else if (chance < 0.7) node.durable = node.bytes.subarray(0, Math.floor(random() * node.bytes.length));
      node.bytes = node.durable;
    }
    this.#dirty.clear();
    const seen = new Map<Node, number>();
    this.#restore(this.root, seen);
    for (const [node, links] of seen) node.links = links;
  }

  #settle(count: number): void {
    for (const { folder, name, node } of this.#waiting.splice(0, count).flat()) {
      const names = this.#durableNames.get(folder) ?? new Map<string, Node>();
      this.#durableNames.set(folder, names);
      setName(names, name, node);
    }
  }

  #restore(folder: Node, seen: Map<Node, number>): void {
    if (!folder.names) return;
    folder.names.clear();
    for (const [name, node] of this.#durableNames.get(folder) ?? []) {
      folder.names.set(name, node);
      seen.set(node, (seen.get(node) ?? 0) + 1);
      this.#restore(node, seen);
    }
  }

  #tick(): number {
    this.#clockMs += 1;
    return this.#clockMs;
  }
}

function setName(names: Map<string, Node> | undefined, name: string, node: Node | undefined): void {
  if (node) names?.set(name, node);
  else names?.delete(name);
}
