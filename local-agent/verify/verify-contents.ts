import { BlobMissingError } from '#protocol/errors.ts';
import type { Agent } from '../agent.ts';
import { loadAll } from '../load-all.ts';
import type { LedgerProof } from './verify-ledger.ts';
import { problem } from './problem.ts';
import type { Notice, Problem } from './problem.ts';
import type { WantedContent } from './wanted-contents.ts';

/** Stored contents that cannot be read as what the ledger says. */
export interface BadContent extends WantedContent {
  readonly problem: Problem;
}

/**
 * Fetches every stored content that the ledger names, of today and of its history, opens it and compares
 * it with its hash; in few calls, with a few contents in memory at a time.
 *
 * @param options.quick leave out what this machine has found good before: stored bytes never change by
 * themselves, but a lost object is noticed only without it. @default false
 */
export async function verifyContents(
  agent: Agent,
  { stored, lost }: Pick<LedgerProof, 'stored' | 'lost'>,
  options: { readonly quick?: boolean; readonly progress?: (done: number, total: number) => void } = {},
): Promise<{ readonly bad: BadContent[]; readonly notices: Notice[] }> {
  const bad: BadContent[] = [];
  const proved = options.quick ? agent.copy.proved() : new Set<string>();
  const due = [...stored].filter(([name, { content }]) => !proved.has(name) && !lost.has(content.sha256));
  const good: string[] = [];
  let done = 0;
  for await (const { index, error } of loadAll(
    agent,
    due.map(([, wanted]) => wanted),
  )) {
    const [place, wanted] = due[index] ?? [];
    if (place === undefined || !wanted) continue;
    if (error) bad.push({ ...wanted, problem: problemOf(wanted, error) });
    else good.push(place);
    options.progress?.(++done, due.length);
  }
  agent.copy.setProved(good);
  bad.sort((a, b) => a.n - b.n);
  const skipped = stored.size - due.length - lost.size;
  const notices: Notice[] =
    options.quick && skipped > 0
      ? [{ code: 'skipped', message: `${skipped} stored contents were found good before and not read again` }]
      : [];
  return { bad, notices };
}

function problemOf({ n, of }: WantedContent, error: Error): Problem {
  const what = `the stored contents of ${of} (entry ${n})`;
  return error instanceof BlobMissingError
    ? problem('content-missing', `${what} are gone: ${error.message}`, { n, path: of })
    : problem('content-altered', `${what}: ${error.message}`, { n, path: of });
}
