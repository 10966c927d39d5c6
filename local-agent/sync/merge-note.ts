import { EmployeeError } from '#protocol/errors.ts';
import { threeWay } from '#protocol/merge-lines.ts';
import { mergeBytes } from '#protocol/merge.ts';
import { calloutOf, withCallout } from '#protocol/note-explanation.ts';
import type { Agent } from '../agent.ts';
import { load } from '../contents.ts';
import type { PlacedNote } from '../copy-tables.ts';
import { noteText } from './note-text.ts';

/**
 * The merge of a note that was edited here and elsewhere, over the bytes on which both last agreed, or
 * `undefined` where it takes a person. What the two explain does not stand in the way of their words.
 */
export async function mergeNote(
  agent: Agent,
  last: PlacedNote | undefined,
  ours: Uint8Array,
  theirs: Uint8Array,
): Promise<Uint8Array | undefined> {
  const base = last && (await baseOf(agent, last));
  const [b, o, t] = [base && noteText(base), noteText(ours), noteText(theirs)];
  if (b === undefined || o === undefined || t === undefined) return mergeBytes(base, ours, theirs);
  const merged = mergeBytes(bare(b), bare(o), bare(t));
  const text = merged && noteText(merged);
  if (text === undefined) return undefined;
  const callout = threeWay(calloutOf(b), calloutOf(o), calloutOf(t)) ?? calloutOf(t);
  return Buffer.from(withCallout(text, callout));
}

function bare(text: string): Uint8Array {
  return Buffer.from(withCallout(text, ''));
}

async function baseOf(agent: Agent, { n, sha256 }: PlacedNote): Promise<Uint8Array | undefined> {
  const content = agent.copy.contentAt(n, sha256);
  if (!content) return undefined;
  try {
    return await load(agent, content, 'shared');
  } catch (error) {
    // Without the base there is no merge, and both versions are kept.
    if (error instanceof EmployeeError) return undefined;
    throw error;
  }
}
