import type { Kernel } from '../kernel/kernel.ts';
import { InvariantError } from '../invariants/auditor.ts';

/** An error that no fault of the world explains is a defect of the program, whatever comes of it. */
export function refuseDefect(kernel: Kernel, error: unknown): void {
  const isDefect = [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind);
  if (isDefect) kernel.failure ??= new InvariantError('no crash', (error as Error).stack ?? String(error));
}
