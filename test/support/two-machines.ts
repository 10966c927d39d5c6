import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import type { AgentPorts } from '#local-agent/agent.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import type { SyncReport } from '#local-agent/sync/sync.ts';
import { createLocalWorld } from './local-world.ts';
import type { LocalWorld } from './local-world.ts';

/** Files by path, as text. */
export type Tree = Record<string, string>;

/** One of two machines, with a person at its vault. */
export interface Side {
  readonly name: string;
  readonly vault: string;
  agent: Agent;
  put(vaultPath: string, contents: string | Uint8Array): void;
  read(vaultPath: string): string;
  has(vaultPath: string): boolean;
  /** As `mv` does it. */
  move(from: string, to: string): void;
  remove(vaultPath: string): void;
  /** All files but hidden ones. */
  tree(): Tree;
  sync(): Promise<SyncReport>;
  restart(ports?: Partial<AgentPorts>): Agent;
}

/** The owner's two machines on one ledger. */
export interface TwoMachines {
  readonly world: LocalWorld;
  readonly laptop: Side;
  readonly desktop: Side;
  /** Syncs both until nothing is left to do, and checks what must hold then. @returns the tree of both. */
  settle(first?: 'laptop' | 'desktop'): Promise<Tree>;
  dispose(): void;
}

/** Makes two machines that agree on these files. */
export async function createTwoMachines(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TwoMachines> {
  const world = await createLocalWorld(['laptop', 'desktop']);
  const [laptop, desktop] = [sideOf(world, 'laptop'), sideOf(world, 'desktop')];
  for (const [vaultPath, contents] of Object.entries(files)) laptop.put(vaultPath, contents);
  const machines: TwoMachines = {
    world,
    laptop,
    desktop,
    async settle(first = 'laptop') {
      const order = first === 'laptop' ? [laptop, desktop] : [desktop, laptop];
      for (const side of [...order, ...order]) await side.sync();
      expect(laptop.tree(), 'both trees are equal').toEqual(desktop.tree());
      const entries = entriesOf(world);
      for (const side of order) {
        const before = side.agent.session.state.head.n;
        const report = await side.sync();
        expect(report, `a further sync of ${side.name} does nothing`).toMatchObject({
          applied: 0,
          pushed: 0,
          conflicts: [],
        });
        expect(report.head).toBe(before);
      }
      expect(entriesOf(world), 'a further sync writes nothing').toBe(entries);
      expect(laptop.agent.session.state.refusals, 'nothing was refused').toEqual([]);
      return laptop.tree();
    },
    dispose: () => world.dispose(),
  };
  await laptop.sync();
  await desktop.sync();
  return machines;
}

/** How many entries the ledger has. */
export function entriesOf(world: LocalWorld): number {
  return world.ledger.rows.length;
}

function sideOf(world: LocalWorld, name: string): Side {
  const machine = world.machine(name);
  const { vault } = machine;
  const at = (vaultPath: string): string => path.join(vault, ...vaultPath.split('/'));
  const side: Side = {
    name,
    vault,
    agent: machine.agent,
    put(vaultPath, contents) {
      mkdirSync(path.dirname(at(vaultPath)), { recursive: true });
      writeFileSync(at(vaultPath), contents);
    },
    read: (vaultPath) => readFileSync(at(vaultPath), 'utf8'),
    has: (vaultPath) => existsSync(at(vaultPath)),
    move(from, to) {
      mkdirSync(path.dirname(at(to)), { recursive: true });
      renameSync(at(from), at(to));
    },
    remove: (vaultPath) => rmSync(at(vaultPath), { recursive: true }),
    tree: () => treeOf(vault, ''),
    sync: () => syncVault(side.agent),
    restart(ports) {
      side.agent = machine.restart(ports);
      return side.agent;
    },
  };
  return side;
}

function treeOf(folder: string, prefix: string): Tree {
  const tree: Tree = {};
  for (const name of readdirSync(folder).sort()) {
    if (name.startsWith('.')) continue;
    const file = path.join(folder, name);
    if (lstatSync(file).isDirectory()) Object.assign(tree, treeOf(file, `${prefix}${name}/`));
    else tree[`${prefix}${name}`] = readFileSync(file, 'utf8');
  }
  return tree;
}
