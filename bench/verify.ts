import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { canonicalJson } from '#protocol/canonical.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { LedgerStore } from '#protocol/ports.ts';
import type { Benchmark } from './benchmark.ts';
import { figureOf } from './figure.ts';
import { makeLedger } from './ledger-samples.ts';
import type { SampleLedger } from './ledger-samples.ts';
import { cpuMs, sideBySide, wallMs } from './measure.ts';

/** Entries of about 3 KB come in pages of 1 MB. */
const PAGE_ENTRIES = 300;
const IN_FLIGHT = 64;

/** The ledger's proof: form, chain, signature, body and rules of every entry, as `employee verify` pulls it. */
export const verify: Benchmark = {
  name: 'verify',
  about: 'verifying ledger entries, beside bare hashing and Ed25519 verification of the same bytes',
  async *run({ rounds, entries }, log) {
    log(`making ${entries} entries`);
    const ledger = makeLedger(entries);
    const signed = signedBytes(ledger);
    const budget = { of: 'ratio', is: '<=', limit: 1.3 } as const;
    const pull = (): Promise<void> => pullAll(ledger);

    const cpu = await sideBySide(
      rounds,
      () => cpuMs(pull),
      () => cpuMs(() => bareOnOneCore(signed)),
    );
    yield figureOf('verify/cpu-ms', cpu, budget);
    const wall = await sideBySide(
      rounds,
      () => wallMs(pull),
      () => wallMs(() => bareOnAllCores(signed)),
    );
    yield figureOf('verify/all-cores-ms', wall, budget);
  },
};

async function pullAll({ reader, entries }: SampleLedger): Promise<void> {
  const store: Pick<LedgerStore, 'read'> = {
    read: async (_vaultId, after) => ({
      entries: entries.slice(after, after + PAGE_ENTRIES),
      more: after + PAGE_ENTRIES < entries.length,
    }),
  };
  const session = new LedgerSession(reader, reader.signingKey.publicKey, {
    ledger: { ...store, append: () => Promise.reject(new Error('nothing is appended here')) },
    clock: { now: () => '2026-11-21T08:00:00.000Z', monotonicMs: () => performance.now() },
    ids: { next: () => 'an-id' },
  });
  await session.pull();
  if (session.state.head.n !== entries.length || session.state.refusals.length > 0) {
    throw new Error('a good ledger was refused');
  }
}

/** What is hashed for the chain, and what is signed: the same bytes but for the signature. */
interface Signed {
  readonly whole: Buffer;
  readonly unsigned: Buffer;
  readonly signature: Buffer;
  readonly key: KeyObject;
}

function signedBytes({ entries, publicKeys }: SampleLedger): Signed[] {
  const keys = new Map([...publicKeys].map(([writer, x]) => [writer, keyObject(x)]));
  return entries.map((entry) => {
    const { sig, ...unsigned } = entry;
    const key = keys.get(entry.writer);
    if (!key) throw new Error(`${entry.writer} has no key`);
    return {
      whole: Buffer.from(canonicalJson(entry)),
      unsigned: Buffer.from(canonicalJson(unsigned)),
      signature: Buffer.from(sig, 'base64'),
      key,
    };
  });
}

function bareOnOneCore(signed: readonly Signed[]): void {
  for (const { whole, unsigned, signature, key } of signed) {
    createHash('sha256').update(whole).digest('hex');
    if (!verifySignature(null, unsigned, key, signature)) throw new Error('a good signature was refused');
  }
}

/** Node verifies on its thread pool when it is given a callback. */
async function bareOnAllCores(signed: readonly Signed[]): Promise<void> {
  const verifyInPool = promisify(verifySignature);
  for (let at = 0; at < signed.length; at += IN_FLIGHT) {
    const good = await Promise.all(
      signed.slice(at, at + IN_FLIGHT).map(({ whole, unsigned, signature, key }) => {
        createHash('sha256').update(whole).digest('hex');
        return verifyInPool(null, unsigned, key, signature);
      }),
    );
    if (good.includes(false)) throw new Error('a good signature was refused');
  }
}

function keyObject(x: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
