import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Check } from './doctor-check.ts';
import { damageOf } from './repair/salvage.ts';
import { lastWithheld, withheldLines } from './withheld-list.ts';

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
  const detail =
    withheld.length === 0
      ? 'nothing stays on this machine alone'
      : `${withheld.length} files stay on this machine, in no backup: ${withheldLines(withheld).join(' ')}`;
  return [
    { name, ok: true, detail: file },
    { name: 'withheld', ok: true, detail },
  ];
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
