import { sha256Hex } from '#protocol/canonical.ts';
import type { ContentRef } from '#protocol/content.ts';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import { relocated } from '#protocol/ledger-contents.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { VerifiedEntry } from '#protocol/ledger-session.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { requireReadable, writerOf } from '../writer.ts';
import type { Agent } from '../agent.ts';
import { EntryAuditor } from './entry-auditor.ts';
import type { AuditedIntent } from './entry-auditor.ts';
import { problem } from './problem.ts';
import type { Problem } from './problem.ts';
import { tookEffect } from './took-effect.ts';
import { placeOf, wantedOf } from './wanted-contents.ts';
import type { WantedContent } from './wanted-contents.ts';

/** What the whole ledger says, read afresh and checked entry by entry. */
export interface LedgerProof {
  readonly state: VaultState;
  readonly problems: Problem[];
  /** Every execution begun, by its idempotency key. */
  readonly intents: ReadonlyMap<string, AuditedIntent>;
  /** What is stored outside of the ledger, once each, by where it is. */
  readonly stored: ReadonlyMap<string, WantedContent>;
  /** Hash and time of each entry, from the first one on; kept only where there is an archive to compare with. */
  readonly chain: readonly { readonly hash: string; readonly at: string }[];
  /** Losses that a person has accepted, by the hash of what is lost. */
  readonly lost: ReadonlySet<string>;
}

/** The repair by which a person accepts that contents are lost; the hash follows. */
export const LOSS_CODE = 'content-lost ';

/**
 * Reads all of the ledger from the store, checks chain and signature of every entry, replays the rules,
 * audits what took effect by rules of its own, and compares with the copy of this machine. Holds no more
 * than a page of entries at a time. Changes nothing.
 *
 * @param progress told how many entries were checked, once a page.
 */
export async function verifyLedger(agent: Agent, progress: (done: number) => void): Promise<LedgerProof> {
  const problems: Problem[] = [];
  const stored = new Map<string, WantedContent>();
  const lost = new Set<string>();
  const chain: { hash: string; at: string }[] = [];
  const auditor = new EntryAuditor();
  const session = new LedgerSession(writerOf(agent), agent.config.root, agent, (verified) => {
    requireReadable(verified);
    const { n } = verified.entry;
    const held = agent.copy.holds(verified.entry);
    if (held === 'other') throw new ForkError(n);
    if (held !== 'damaged' || problems.some(({ code }) => code === 'copy-damaged')) return;
    problems.push(problem('copy-damaged', `this machine's copy of ledger entry ${n} is damaged`, { n }));
  });
  const { state } = session;
  const see = ({ entry, body, hash }: VerifiedEntry, refusedBefore: number): void => {
    if (agent.archive) chain.push({ hash, at: entry.at });
    const effective = body && tookEffect(state, entry, body, state.refusals.slice(refusedBefore));
    if (!effective) return;
    auditor.see(entry, effective);
    for (const wanted of wantedOf(entry, effective)) {
      const place = placeOf(wanted.content);
      if (place !== undefined) stored.set(place, wanted);
      else if (!isItself(wanted.content)) {
        problems.push(alteredInline(wanted));
      }
    }
    const what = effective.kind === 'override' ? effective.what : undefined;
    if (what?.of === 'repair' && what.code.startsWith(LOSS_CODE)) lost.add(what.code.slice(LOSS_CODE.length));
  };
  try {
    for (let more = true; more;) {
      const page = await agent.ledger.read(agent.config.vaultId, state.head.n);
      for (const entry of page.entries) {
        const refusedBefore = state.refusals.length;
        see(session.admit(entry), refusedBefore);
      }
      progress(state.head.n);
      more = page.more && page.entries.length > 0;
    }
  } catch (error) {
    if (!(error instanceof LedgerIntegrityError)) throw error;
    const code = error instanceof ForkError ? 'copy' : 'ledger';
    problems.push(problem(code, error.message, { n: error.n }));
  }
  for (const [place, wanted] of [...stored]) {
    const content = relocated(wanted.content, state.resealed);
    if (content === wanted.content) continue;
    stored.delete(place);
    stored.set(placeOf(content) ?? place, { ...wanted, content });
  }
  const last = agent.copy.last();
  if (problems.every(({ code }) => code !== 'ledger' && code !== 'copy') && last > state.head.n) {
    const n = state.head.n + 1;
    problems.push(
      problem('copy', `ledger entry ${n} is gone: this machine saw entries up to ${last}`, { n }),
    );
  }
  return {
    state,
    problems: [...problems, ...auditor.problems],
    intents: auditor.intents,
    stored,
    chain,
    lost,
  };
}

/** Nothing behind such an entry is looked at: this machine knows another history. */
class ForkError extends LedgerIntegrityError {
  constructor(n: number) {
    super(n, 'is not the one this machine saw before');
  }
}

function isItself(content: ContentRef): boolean {
  if ('text' in content) return sha256Hex(content.text) === content.sha256;
  if ('base64' in content) return sha256Hex(Buffer.from(content.base64, 'base64')) === content.sha256;
  return true;
}

function alteredInline({ n, of }: WantedContent): Problem {
  return problem('content-altered', `the contents of ${of} inside entry ${n} are not the ones it names`, {
    n,
    path: of,
    fix: 'its writer made it so; put the right contents there and sync',
  });
}
