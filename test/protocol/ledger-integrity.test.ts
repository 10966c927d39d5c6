import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LedgerIntegrityError } from '#protocol/errors.ts';
import type { EntryDraft, LedgerEntry } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { createLedgerFactory } from '#test/support/ledger-factory.ts';
import type { LedgerFactory } from '#test/support/ledger-factory.ts';
import { createMemoryLedgerStore } from '#test/support/memory/memory-ledger-store.ts';
import { change, effects, vaultAt } from './scene.ts';

const said = (code: string): EntryDraft => ({
  body: { kind: 'override', what: { of: 'repair', code }, reason: 'test' },
});

/** Where a reader stops, and what it knows then. */
function firstBad(factory: LedgerFactory, entries: readonly unknown[]): number | undefined {
  try {
    factory.replay(factory.local, entries);
    return undefined;
  } catch (error) {
    if (error instanceof LedgerIntegrityError) return error.n;
    throw error;
  }
}

describe('a reader', () => {
  const vault = vaultAt('done');
  const { entries } = vault;

  it('reads an honest ledger to its end', () => {
    expect(vault.replay().head).toEqual(vault.head);
    expect(vault.replay().refusals).toEqual([]);
    expect(firstBad(vault, entries)).toBeUndefined();
  });

  it('names the entry of which any character of any field is another', () => {
    const place = fc.nat({ max: entries.length - 1 }).chain((index) =>
      fc.record({
        index: fc.constant(index),
        field: fc.constantFrom(...(Object.keys(entries[index] ?? {}) as (keyof LedgerEntry)[])),
        at: fc.nat(),
        // Neighbours of the alphabets that are used, and what belongs to none of them.
        char: fc.constantFrom(...'0123456789abcdefABCDEFxyzXYZ+/=- \u0000\ud83d\u00e9'.split('')),
      }),
    );
    fc.assert(
      fc.property(place, ({ index, field, at, char }) => {
        const entry = structuredClone(entries[index]) as Record<string, unknown>;
        const value = entry[field];
        if (typeof value === 'number') entry[field] = value + 1;
        else entry[field] = flipped(String(value), at, char);
        expect(firstBad(vault, entries.with(index, entry as LedgerEntry)), `${index + 1}.${field}`).toBe(
          index + 1,
        );
      }),
      { numRuns: 600 },
    );
  });

  it('names the entry that lost a field or got one', () => {
    entries.forEach((entry, index) => {
      for (const field of Object.keys(entry)) {
        const { [field as keyof LedgerEntry]: _gone, ...rest } = entry;
        expect(firstBad(vault, entries.with(index, rest as LedgerEntry)), field).toBe(index + 1);
      }
      const more = [{ taskId: 'tabcdef01234567890123' }, { epoch: 9 }, { extra: 1 }];
      for (const extra of more) {
        const grown = { ...entry, ...extra };
        expect(firstBad(vault, entries.with(index, grown)), JSON.stringify(extra)).toBe(index + 1);
      }
    });
  });

  it('names the hole where an entry was taken out', () => {
    for (let index = 0; index < entries.length - 1; index++) {
      expect(firstBad(vault, entries.toSpliced(index, 1))).toBe(index + 1);
    }
  });

  it('names the first of two entries that changed places', () => {
    for (let index = 0; index < entries.length - 1; index++) {
      const swapped = [...entries];
      swapped.splice(index, 2, ...entries.slice(index, index + 2).toReversed());
      expect(firstBad(vault, swapped)).toBe(index + 1);
    }
  });

  it('names the entry that stands there twice', () => {
    for (let index = 0; index < entries.length; index++) {
      const [twice] = entries.slice(index);
      expect(firstBad(vault, entries.toSpliced(index, 0, ...(twice ? [twice] : [])))).toBe(index + 2);
    }
  });

  it.each([null, undefined, 5, 'x', [], {}])('names what is no entry at all: %j', (stored) => {
    expect(firstBad(vault, [...entries.slice(0, 3), stored])).toBe(4);
  });

  it('stays at the entry before the bad one', () => {
    const session = vault.session(vault.local, createMemoryLedgerStore());
    for (const entry of entries.slice(0, 3)) session.admit(entry);
    const before = effects(session.state);
    expect(() => session.admit({ ...entries[3], at: '2026-11-21T09:00:00.000Z' })).toThrow('ledger entry 4');
    expect(session.state.head.n).toBe(3);
    expect(effects(session.state)).toEqual(before);
    expect(session.admit(entries[3]).entry).toEqual(entries[3]);
  });

  it('refuses an entry by a writer without a key', () => {
    const factory = createLedgerFactory();
    factory.append(said('x'), { ...factory.local, writer: 'stranger', signingKey: newSigningKey() });
    expect(() => factory.replay()).toThrow('entry 2: was written by stranger, who has no key in this ledger');
  });

  it("refuses an entry that was signed with another one's key", () => {
    const factory = createLedgerFactory();
    factory.append(said('x'), { ...factory.local, signingKey: factory.cloud.signingKey });
    expect(() => factory.replay()).toThrow('entry 2: was altered: its signature is not by laptop');
  });

  it('follows new keys, and refuses those that are gone', () => {
    const factory = createLedgerFactory();
    const writers = factory.keys.writers.filter(({ writer }) => writer !== 'desktop');
    factory.append(said('before'), factory.other);
    factory.append({ body: { ...factory.keys, writers } });
    expect(factory.replay().head.n).toBe(3);
    factory.append(said('after'), factory.other);
    expect(() => factory.replay()).toThrow('entry 4: was written by desktop, who has no key in this ledger');
  });

  it('refuses a ledger of another vault', () => {
    const other = createLedgerFactory('vault-2');
    const session = vault.session(vault.local, createMemoryLedgerStore());
    expect(() => session.admit(other.entries[0])).toThrow('entry 1: is of another vault');
  });

  it('refuses a first entry that is not by the root, or not of keys', () => {
    const factory = createLedgerFactory();
    const stranger = createLedgerFactory();
    expect(() => factory.replay(factory.local, stranger.entries)).toThrow('entry 1: was altered');
    factory.entries.length = 0;
    factory.append({ body: factory.keys }, factory.other);
    expect(() => factory.replay()).toThrow('entry 1: was altered: its signature is not by desktop');
    factory.entries.length = 0;
    factory.append(said('x'));
    expect(() => factory.replay()).toThrow('entry 1: is not the entry of keys');
    factory.entries.length = 0;
    factory.append(change('created'));
    expect(() => factory.replay()).toThrow('entry 1: is not the entry of keys');
  });

  it('tells of each new entry before it takes effect', () => {
    const seen: [number, number][] = [];
    const told = new LedgerSession(
      vault.local,
      vault.root,
      { ledger: createMemoryLedgerStore(), clock: vault.clock, ids: { next: () => 'x' } },
      ({ entry }) => seen.push([entry.n, told.state.head.n]),
    );
    for (const entry of entries) told.admit(entry);
    expect(seen).toEqual(entries.map(({ n }) => [n, n - 1]));
  });
});

function flipped(value: string, at: number, char: string): string {
  const index = value.length === 0 ? 0 : at % value.length;
  const other = value.slice(0, index) + char + value.slice(index + 1);
  return other === value ? `${value.slice(0, index)}~${value.slice(index + 1)}` : other;
}
