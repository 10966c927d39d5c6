import { EmployeeError } from '#protocol/errors.ts';
import { entryHash, LedgerEntry } from '#protocol/ledger-entry.ts';
import { machinesAhead } from '../world/cut-ledger.ts';
import type { Step } from '../kernel/kernel.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Call } from '../kernel/fate.ts';
import type { ToolCall } from '#local-agent/tool-host.ts';
import type { World } from '../world/world.ts';
import { requireThat } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import type { WitnessView } from './witness.ts';

/**
 * Invariant 8 where the table is put back to an earlier state: whoever has read it since appends to what stands there and
 * to nothing else, and begins no effect whose intent is gone. Between a cut and the next read nobody can know of it. In
 * the end a machine that saw more stands still and says why.
 */
export function auditCuts(world: World, witness: WitnessView): Auditor {
  const { ledger } = world.cloud;
  /** How often the table had been put back when a process read it last. */
  const heard = new Map<SimProcess, number>();
  const hasHeard = ({ process }: Call): boolean =>
    world.putBacks.length > 0 && heard.get(process) === world.putBacks.length;

  function append(step: Step): void {
    if (step.result !== 'appended' || !hasHeard(step)) return;
    const { n, prev } = step.args[0] as LedgerEntry;
    const before = LedgerEntry.safeParse(ledger.rows.find((row) => row.n === n - 1)?.entry);
    requireThat(
      before.success && entryHash(before.data) === prev,
      '8',
      () => `${step.process.name} has read a ledger that was cut, and appends entry ${n} to one that is gone`,
    );
  }

  return {
    begin: (call) => {
      if (call.port !== 'tools' || call.method !== 'call' || !hasHeard(call)) return;
      const key = String((call.args[0] as ToolCall).args['idempotencyKey']);
      const stands = witness
        .entries()
        .some(({ body }) => body.kind === 'intent' && body.idempotencyKey === key);
      requireThat(
        stands,
        '6',
        () => `${call.process.name} has read a ledger that was cut, and begins ${key}, whose intent is gone`,
      );
    },
    step: (step) => {
      if (step.port !== 'ledger' || step.error !== undefined) return;
      if (step.method === 'read') heard.set(step.process, world.putBacks.length);
      else append(step);
    },
    atEnd: () => {
      for (const { name, problem } of machinesAhead(world))
        requireThat(
          problem instanceof EmployeeError && problem.code === 'LEDGER_INTEGRITY',
          '8',
          () => `${name} saw entries that are gone, and its last pass says: ${String(problem)}`,
        );
    },
  };
}

/** Whether all that ever stood in the ledger stands there, and can be read. */
export function isWhole(witness: WitnessView): boolean {
  return witness.broken === undefined && witness.ever().length === witness.entries().length;
}
