import { describe, expect, it } from 'vitest';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';

const signing = newSigningKey();
const secret = {
  vaultId: 'vault-1',
  writer: 'cloud',
  signing,
  keyring: [{ keyEpoch: 1, shared: newVaultKey() }],
  root: newSigningKey().publicKey,
};

describe("the cloud's secret", () => {
  it('holds the shared keys', () => {
    expect(CloudSecret.parse(secret)).toEqual(secret);
  });

  it('cannot hold a private key, in any key epoch', () => {
    const keyring = [...secret.keyring, { keyEpoch: 2, shared: newVaultKey(), private: newVaultKey() }];
    expect(CloudSecret.safeParse({ ...secret, keyring }).error?.message).toContain('private vault key');
  });

  it.each([
    ['no key', { keyring: [] }],
    ['a short key', { keyring: [{ keyEpoch: 1, shared: 'short' }] }],
    ['a member nobody knows', { approver: signing }],
  ])('with %s is refused', (_name, change) => {
    expect(CloudSecret.safeParse({ ...secret, ...change }).success).toBe(false);
  });
});
