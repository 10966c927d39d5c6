import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Check } from './doctor-check.ts';
import { damageOf } from './repair/salvage.ts';
import { visibleLine } from './visible.ts';
import { lastWithheld, withheldCount } from './withheld-list.ts';
import type { WithheldPath } from './withheld-list.ts';

const SHOWN = 5;

/** Checks this machine's copy of the ledger, and names what the last sync left on this machine alone. */
export function copyChecks(file: string): Check[] {
  const name = 'ledger copy';
  if (!existsSync(file)) {
    return [{ name, ok: true, detail: `${file} is not there yet; the next sync makes it` }];
  }
  const damage = damageOf(file);
  if (damage !== undefined) {
    const fix = '"employee repair --yes" reads the ledger again, checked, and keeps the damaged file';
    return [{ name, ok: false, detail: `${file} is damaged: ${damage}`, fix }];
  }
  const withheld = lastWithheld({ fact: (wanted) => factIn(file, wanted) });
  return [
    { name, ok: true, detail: file },
    { name: 'withheld', ok: true, detail: withheldDetail(withheld) },
  ];
}

function withheldDetail(withheld: readonly WithheldPath[]): string {
  if (withheld.length === 0) return 'nothing stays on this machine alone';
  const names = withheld.slice(0, SHOWN).map(({ path }) => visibleLine(path, 100));
  const rest = withheld.length > SHOWN ? [`and ${withheld.length - SHOWN} more`] : [];
  return `${withheldCount(withheld)}: ${[...names, ...rest].join(', ')}; "employee status" says why`;
}

function factIn(file: string, name: string): string | undefined {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const row = db.prepare('SELECT value FROM facts WHERE name = ?').get(name);
    return row ? String(row['value']) : undefined;
  } catch {
    // A copy of which no sync was made yet.
    return undefined;
  } finally {
    db.close();
  }
}
