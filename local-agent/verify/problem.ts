/** What kind of thing is not as it should be; `docs/verify.md` says for each what it means and what to do. */
export type ProblemCode =
  | 'ledger'
  | 'copy'
  | 'copy-damaged'
  | 'incident'
  | 'order'
  | 'vault-missing'
  | 'vault-differs'
  | 'vault-stray'
  | 'content-missing'
  | 'content-altered'
  | 'task-missing'
  | 'task-unreadable'
  | 'task-behind'
  | 'task-state'
  | 'task-held'
  | 'task-owner'
  | 'archive'
  | 'effect'
  | 'effect-unmade';

/** One thing that is not as it should be. */
export interface Problem {
  readonly code: ProblemCode;
  /** The entry of the ledger that it is about. */
  readonly n?: number;
  readonly taskId?: string;
  readonly path?: string;
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

/** Something to know that is no fault: it is listed, and `verify` does not fail for it. */
export interface Notice {
  readonly code: 'acknowledged' | 'conflict' | 'withheld' | 'unsynced' | 'skipped' | 'unarchived';
  readonly n?: number;
  readonly path?: string;
  readonly message: string;
}

const REPAIR = '"employee repair" shows how it can be mended';
const TAMPERED =
  'stop using this ledger, keep the ledger.db of every machine, and restore the table from its archive; "employee repair" never changes a ledger';

const FIXES: Readonly<Record<ProblemCode, string>> = {
  ledger: TAMPERED,
  copy: TAMPERED,
  'copy-damaged': '"employee repair --yes" reads the ledger again, checked, and keeps the damaged file',
  incident:
    'nothing of it took effect; find out who could write it, then "employee incidents acknowledge N --reason …"',
  order: `do not trust what this ledger says of that task; look at "employee audit", then ${TAMPERED}`,
  'vault-missing': '"employee sync" takes or undoes it; if it stays, "employee repair" brings it back',
  'vault-differs': '"employee sync" takes or undoes the change',
  'vault-stray': '"employee sync" settles it',
  'content-missing': `${REPAIR}: a machine of yours that still has the bytes can put them back`,
  'content-altered': `${REPAIR}: a machine of yours that still has the bytes can put them back`,
  'task-missing': REPAIR,
  'task-unreadable': 'do what the message says; then "employee repair" makes the item again',
  'task-behind': REPAIR,
  'task-state': `"employee execute" settles what it has begun; if it stays, ${REPAIR}`,
  'task-held': `"employee execute" settles what it has begun; if it stays, ${REPAIR}`,
  'task-owner': `find out who wrote it; ${REPAIR}`,
  archive: TAMPERED,
  effect: 'ask the provider what was sent; the ledger does not know of it',
  'effect-unmade':
    'if the ledger.db of this machine was lost or restored, "employee repair" notes that; otherwise ask the provider whether it was sent, and believe the provider',
};

/** Makes a problem with the advice of its code, unless a better one is given. */
export function problem(code: ProblemCode, message: string, details: Partial<Problem> = {}): Problem {
  return { code, ...details, message, fix: details.fix ?? FIXES[code] };
}
