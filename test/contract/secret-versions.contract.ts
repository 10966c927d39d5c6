import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SecretVersions } from '#protocol/ports.ts';
import type { Harness, MakeAdapter } from './harness.ts';

/** What every store of a secret's versions does. The secret begins with one version, which is `AWSCURRENT`. */
export function describeSecretVersionsContract(name: string, makeAdapter: MakeAdapter<SecretVersions>): void {
  describe(`versions of a secret: ${name}`, () => {
    let harness: Harness<SecretVersions>;
    let versions: SecretVersions;
    let fresh: string;
    beforeAll(async () => {
      harness = await makeAdapter();
      versions = harness.adapter;
    });
    beforeEach(() => {
      fresh = randomUUID();
    });
    afterAll(() => harness.close());

    async function at(stage: string): Promise<string | undefined> {
      const { stages } = await versions.describe();
      return [...stages].find(([, list]) => list.includes(stage))?.[0];
    }

    it('a put makes a version and moves its stage there, and no other', async () => {
      const current = await at('AWSCURRENT');
      expect(await versions.put(fresh, 'next', 'AWSPENDING')).toBe('put');
      expect([await at('AWSPENDING'), await at('AWSCURRENT')]).toEqual([fresh, current]);
      expect(await versions.read(fresh)).toBe('next');
    });

    it('a version keeps its value: the same again does nothing, another is refused', async () => {
      await versions.put(fresh, 'one', 'AWSPENDING');
      expect(await versions.put(fresh, 'one', 'AWSPENDING')).toBe('put');
      expect(await versions.put(fresh, 'two', 'AWSPENDING')).toBe('other');
      expect(await versions.read(fresh)).toBe('one');
    });

    it('a repeated put does not take the stage back from who has it by now', async () => {
      await versions.put(fresh, 'one', 'AWSPENDING');
      const later = randomUUID();
      await versions.put(later, 'two', 'AWSPENDING');
      await versions.put(fresh, 'one', 'AWSPENDING');
      expect(await at('AWSPENDING')).toBe(later);
    });

    it('has no value for a version that there is not', async () => {
      expect(await versions.read(fresh)).toBeUndefined();
    });

    it('AWSCURRENT moves from the version that has it, and leaves it as AWSPREVIOUS', async () => {
      const before = (await at('AWSCURRENT')) ?? '';
      await versions.put(fresh, 'next', 'AWSPENDING');
      expect(await versions.moveStage('AWSCURRENT', before, fresh)).toBe('moved');
      expect([await at('AWSCURRENT'), await at('AWSPREVIOUS')]).toEqual([fresh, before]);
    });

    it('a stage that stands elsewhere stays there', async () => {
      const current = await at('AWSCURRENT');
      await versions.put(fresh, 'next', 'AWSPENDING');
      expect(await versions.moveStage('AWSCURRENT', randomUUID(), fresh)).toBe('elsewhere');
      expect(await at('AWSCURRENT')).toBe(current);
    });

    it('a stage comes off the secret, and then stands nowhere', async () => {
      await versions.put(fresh, 'next', 'AWSPENDING');
      expect(await versions.moveStage('AWSPENDING', fresh)).toBe('moved');
      expect(await at('AWSPENDING')).toBeUndefined();
      expect(await versions.moveStage('AWSPENDING', fresh)).toBe('elsewhere');
      expect(await versions.read(fresh)).toBe('next');
    });

    it('says that it rotates', async () => {
      expect(await versions.describe()).toMatchObject({ rotationEnabled: true });
    });
  });
}
