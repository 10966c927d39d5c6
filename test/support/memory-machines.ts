import { makeAgent } from '#local-agent/make-agent.ts';
import type { Agent, AgentPorts } from '#local-agent/agent.ts';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { createLocalWorld } from './local-world.ts';
import type { LocalWorld } from './local-world.ts';
import { createMemoryFiles } from './memory/memory-files.ts';
import type { FilesStep, MemoryFiles } from './memory/memory-files.ts';

export type MachineName = 'laptop' | 'desktop';

/** A machine whose vault and copy of the ledger are in memory, and outlive its process. */
export interface MemoryMachine {
  readonly name: MachineName;
  readonly files: MemoryFiles;
  /** The process that runs now. */
  agent: Agent;
  /** Called at each step of a call of the vault's files. */
  onStep: ((step: FilesStep, path: string) => void) | undefined;
  /** A new process, which knows what is in the copy. */
  start(ports?: Partial<AgentPorts>): Agent;
  /** What stands in the vault, but for hidden files. */
  tree(): Record<string, string>;
}

/** Two of the owner's machines in memory, on one ledger: hundreds of syncs a second. */
export interface MemoryMachines extends Readonly<Record<MachineName, MemoryMachine>> {
  readonly world: LocalWorld;
  dispose(): void;
}

/** Makes two machines with empty vaults. */
export async function createMemoryMachines(): Promise<MemoryMachines> {
  const world = await createLocalWorld(['laptop', 'desktop'], { copies: 'in memory' });
  const copies: LedgerCopy[] = [];
  const make = (name: MachineName): MemoryMachine => {
    const { session: _session, ...base } = world.machine(name).agent;
    const copy = new LedgerCopy(':memory:', base.keys.keyring);
    copies.push(copy);
    const files = createMemoryFiles({ onStep: (step, path) => machine.onStep?.(step, path) });
    const start = (ports: Partial<AgentPorts> = {}): Agent => makeAgent({ ...base, files, copy, ...ports });
    const tree = (): Record<string, string> => {
      const paths = files.person.paths().filter((path) => !path.startsWith('.'));
      return Object.fromEntries(paths.map((path) => [path, files.person.text(path) ?? '']));
    };
    const machine: MemoryMachine = { name, files, agent: start(), onStep: undefined, start, tree };
    return machine;
  };
  return {
    world,
    laptop: make('laptop'),
    desktop: make('desktop'),
    dispose() {
      for (const copy of copies) copy.close();
      world.dispose();
    },
  };
}
