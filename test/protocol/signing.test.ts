import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newSigningKey, signText, verifyText } from '#protocol/signing.ts';

const key = newSigningKey();
const text = fc.string({ unit: 'grapheme' });

describe('a signature', () => {
  it('is verified for its own text', () => {
    fc.assert(
      fc.property(text, (signed) => {
        expect(verifyText(signed, signText(signed, key), key.publicKey)).toBe(true);
      }),
    );
  });

  it('is not verified for any other text', () => {
    fc.assert(
      fc.property(text, text, (signed, other) => {
        fc.pre(signed !== other);
        expect(verifyText(other, signText(signed, key), key.publicKey)).toBe(false);
      }),
    );
  });

  it('is not verified for another key', () => {
    expect(verifyText('x', signText('x', key), newSigningKey().publicKey)).toBe(false);
  });

  it('has one spelling: any other text in its place is not verified', () => {
    const signature = signText('x', key);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ \n';
    // The last three: `x==`, of which base64 as such ignores four bits and the padding.
    for (const index of [0, 40, 84, 85, 86, 87]) {
      for (const char of alphabet) {
        const other = signature.slice(0, index) + char + signature.slice(index + 1);
        if (other !== signature) expect(verifyText('x', other, key.publicKey), other).toBe(false);
      }
    }
    for (const other of [
      `${signature} `,
      `${signature}=`,
      signature.replaceAll('=', ''),
      `\n${signature}`,
      '',
    ]) {
      expect(verifyText('x', other, key.publicKey), other).toBe(false);
    }
  });

  it('is never verified, and nothing thrown, for what is no key', () => {
    for (const publicKey of ['', 'x', 'A'.repeat(43), '!'.repeat(43), 'A'.repeat(44)]) {
      expect(verifyText('x', signText('x', key), publicKey)).toBe(false);
    }
  });

  it('is that of RFC 8032 §7.1, test 2', () => {
    const known = {
      privateKey: Buffer.from(
        '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
        'hex',
      ).toString('base64url'),
      publicKey: Buffer.from(
        '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
        'hex',
      ).toString('base64url'),
    };
    expect(Buffer.from(signText('r', known), 'base64').toString('hex')).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
  });
});
