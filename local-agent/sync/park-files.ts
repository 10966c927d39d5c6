import { z } from 'zod';
import { jsonOf } from '#protocol/json-of.ts';
import type { Agent } from '../agent.ts';
import type { Scan } from './scan.ts';

const FACT = 'parked';
const WHY = 'it was renamed or moved here, to where it stays on this machine; elsewhere it is as it was';
const Parked = z.record(z.string(), z.string()).catch({});

/**
 * A file that was given a name or contents with which it stays on this machine is not gone: its old name is
 * left alone here and elsewhere, for as long as it stands where it stands. An editor may give it another
 * identity there, so where it went is remembered.
 */
export function parkFiles({ copy, session }: Pick<Agent, 'copy' | 'session'>, scan: Scan): void {
  const text = copy.fact(FACT);
  const before = new Map(Object.entries(text === undefined ? {} : Parked.parse(jsonOf(text))));
  if (before.size === 0 && scan.withheld.length === 0) return;
  const staying = new Set(scan.withheld.map(({ path }) => path));
  const now = new Map<string, string>();
  for (const [path, { id, fileId = '' }] of copy.allAgreed()) {
    if (scan.files.has(path) || scan.isWithheld(path) || session.state.files.get(path)?.id !== id) continue;
    const known = before.get(path);
    const place = scan.withheldAs(fileId) ?? (known !== undefined && staying.has(known) ? known : undefined);
    if (place !== undefined) now.set(path, place);
  }
  for (const path of now.keys()) scan.withhold(path, WHY);
  const written = JSON.stringify(Object.fromEntries(now));
  if (written !== (text ?? '{}')) copy.setFact(FACT, written);
}
