import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SealError } from '#protocol/errors.ts';
import { blobIdOf, currentKeys, newVaultKey, open, seal, vaultKey } from '#protocol/seal.ts';

const key = newVaultKey();
const bytes = fc.uint8Array({ maxLength: 300 });

describe('a sealed text', () => {
  it('opens to the bytes that were sealed, with the same key and context', () => {
    fc.assert(
      fc.property(bytes, fc.string(), (plain, context) => {
        expect([...open(key, seal(key, plain, context), context)]).toEqual([...plain]);
      }),
    );
  });

  it('does not open when a single bit is another one', () => {
    const sealed = seal(key, Buffer.from('pay 10 EUR'), 'context');
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = Buffer.from(sealed);
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => open(key, altered, 'context'), `bit ${bit}`).toThrow(SealError);
    }
  });

  it('does not open when it was cut or grew', () => {
    const sealed = seal(key, Buffer.from('pay 10 EUR'), 'context');
    for (let length = 0; length < sealed.length; length++) {
      expect(() => open(key, sealed.subarray(0, length), 'context')).toThrow(SealError);
    }
    expect(() => open(key, Buffer.concat([sealed, Buffer.of(0)]), 'context')).toThrow(SealError);
  });

  it('does not open with another key', () => {
    expect(() => open(newVaultKey(), seal(key, Buffer.from('x'), 'c'), 'c')).toThrow(SealError);
  });

  it('does not open in another context', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme' }),
        (plain, context, other) => {
          fc.pre(context !== other);
          expect(() => open(key, seal(key, plain, context), other)).toThrow(SealError);
        },
      ),
    );
  });

  it('is another one each time, so that equal texts cannot be told', () => {
    const [a, b] = [seal(key, Buffer.from('x'), 'c'), seal(key, Buffer.from('x'), 'c')];
    expect(a.equals(b)).toBe(false);
  });

  it('names its key: a text that was sealed without the commitment does not open, though the key fits', () => {
    const [salt, iv] = [randomBytes(32), randomBytes(12)];
    const derived = Buffer.from(
      hkdfSync('sha256', Buffer.from(key, 'base64url'), salt, 'ai-employee/seal/v1', 64),
    );
    function sealedWith(commitment: Buffer): Buffer {
      const cipher = createCipheriv('aes-256-gcm', derived.subarray(0, 32), iv);
      cipher.setAAD(Buffer.from('c'));
      const body = Buffer.concat([cipher.update('x'), cipher.final()]);
      return Buffer.concat([Buffer.of(1), salt, commitment, iv, body, cipher.getAuthTag()]);
    }
    expect(open(key, sealedWith(derived.subarray(32)), 'c').toString()).toBe('x');
    expect(() => open(key, sealedWith(randomBytes(32)), 'c')).toThrow('sealed with another key');
  });
});

describe('a keyring', () => {
  const old = { keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() };
  const now = { keyEpoch: 3, shared: newVaultKey(), from: { n: 7, hash: 'a'.repeat(64) } };
  const next = { keyEpoch: 4, shared: newVaultKey() };

  it('writes with the latest epoch that is in force, in whatever order it lists them', () => {
    expect(currentKeys([now, old])).toBe(now);
    expect(currentKeys([old, now])).toBe(now);
    expect(currentKeys([next, old, now])).toBe(now);
  });

  it('writes with the first epoch until another one is in force', () => {
    expect(currentKeys([next, old])).toBe(old);
    expect(currentKeys([old])).toBe(old);
  });

  it('finds the key of a ring and epoch, or none', () => {
    expect(vaultKey([old, now], 'private', 1)).toBe(old.private);
    expect(vaultKey([old, now], 'private', 3)).toBeUndefined();
    expect(vaultKey([old, now], 'shared', 2)).toBeUndefined();
  });
});

describe('the id of a blob', () => {
  it('is the same for the same bytes and key, and another one otherwise', () => {
    const id = blobIdOf(key, Buffer.from('x'));
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(blobIdOf(key, Buffer.from('x'))).toBe(id);
    expect(blobIdOf(key, Buffer.from('y'))).not.toBe(id);
    expect(blobIdOf(newVaultKey(), Buffer.from('x'))).not.toBe(id);
  });
});
