import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RotationRefusedError } from '#lambdas/rotate/rotation-refused.ts';
import type { KeysBody } from '#protocol/ledger-body.ts';
import { newSigningKey } from '#protocol/signing.ts';
import { signingKeysOf } from '#protocol/writer-keys.ts';
import { createRotationWorld, STEPS } from './rotation-world.ts';
import type { RotationWorld } from './rotation-world.ts';

const CHANGE = { taskId: `t${'a'.repeat(20)}`, epoch: 0, event: 'created', state: 'ignored' } as const;
const ENTRY = { body: { kind: 'task' as const, changes: [CHANGE] } };
const [T1, T2] = [randomUUID(), randomUUID()];

async function begun(world = createRotationWorld(), versionId = T1): Promise<RotationWorld> {
  world.versions.prepare(versionId);
  return world;
}

async function upTo(last: (typeof STEPS)[number], world?: RotationWorld): Promise<RotationWorld> {
  const made = await begun(world);
  for (const step of STEPS.slice(0, STEPS.indexOf(last) + 1)) await made.step(T1, step);
  return made;
}

async function keysInForce(world: RotationWorld): Promise<readonly string[]> {
  return signingKeysOf((await world.state()).keys, 'cloud');
}

/** A rotation that is over: one key, that of the secret, and nothing under way. */
async function expectRotated(world: RotationWorld, before: string): Promise<void> {
  const { signing } = world.current();
  expect(signing.publicKey).not.toBe(before);
  expect(await keysInForce(world)).toEqual([signing.publicKey]);
  expect([undefined, world.versions.at('AWSCURRENT')]).toContain(world.versions.at('AWSPENDING'));
  expect((await world.state()).refusals).toEqual([]);
}

describe('a rotation', () => {
  it('gives the zone a new signing key, and nothing else of the secret changes', async () => {
    const world = await begun();
    const { signing: before, ...rest } = world.current();
    await world.rotate(T1);
    const { signing: _after, ...same } = world.current();
    expect(same).toEqual(rest);
    await expectRotated(world, before.publicKey);
    expect(world.versions.at('AWSCURRENT')).toBe(T1);
    expect(world.versions.at('AWSPREVIOUS')).toBe('first');
    expect(world.versions.at('AWSPENDING')).toBeUndefined();
  });

  it('writes two entries: both keys, signed with the old one, then the new one, signed with it', async () => {
    const world = await begun();
    const old = world.current().signing.publicKey;
    await world.rotate(T1);
    const { keys } = await world.state();
    expect(world.ledger.rows).toHaveLength(3);
    expect(keys?.writers.find(({ writer }) => writer === 'cloud')).toEqual({
      writer: 'cloud',
      zone: 'cloud',
      publicKey: world.current().signing.publicKey,
    });
    expect(keys?.approvers).toEqual(world.factory.keys.approvers);
    expect(world.current().signing.publicKey).not.toBe(old);
  });

  it('may follow another at once', async () => {
    const world = await begun();
    await world.rotate(T1);
    const between = world.current().signing.publicKey;
    await begun(world, T2);
    await world.rotate(T2);
    await expectRotated(world, between);
  });

  it.each(STEPS)('does nothing more when %s is run twice', async (step) => {
    const world = await upTo(step);
    const was = [
      structuredClone(world.ledger.rows),
      [...world.versions.values],
      world.versions.at('AWSCURRENT'),
    ];
    await world.step(T1, step);
    expect([world.ledger.rows, [...world.versions.values], world.versions.at('AWSCURRENT')]).toEqual(was);
  });

  it('carries on what others changed between two steps', async () => {
    const world = await upTo('createSecret');
    const { factory } = world;
    const joined = { writer: 'phone', zone: 'local', publicKey: newSigningKey().publicKey } as const;
    const session = factory.session(factory.local, world.ledger);
    await session.pull();
    await session.append(({ keys }) =>
      keys ? { body: { ...keys, writers: [...keys.writers, joined] } } : undefined,
    );
    for (const step of STEPS.slice(1)) await world.step(T1, step);
    expect((await world.state()).keys?.writers).toContainEqual(joined);
  });
});

describe('the functions at work', () => {
  it('go on during every step and after, warm or cold, and nothing they signed is refused', async () => {
    const world = await begun();
    const warm = world.zone();
    const write = (zone = warm) =>
      zone.use(async ({ session }) => {
        await session.pull();
        await session.append(() => ENTRY);
      });
    await write();
    for (const step of STEPS) {
      await world.step(T1, step);
      await write();
      await write(world.zone());
    }
    await write();
    const { head, refusals } = await world.state();
    expect(head.n).toBe(1 + 1 + 2 * STEPS.length + 1 + 2);
    expect(refusals.filter(({ severity }) => severity === 'incident')).toEqual([]);
  });

  it('cannot put an entry of the old key behind its end: the one that was overtaken is signed anew', async () => {
    const world = await upTo('testSecret');
    const warm = world.zone();
    await warm.use(({ session }) => session.pull());
    await world.step(T1, 'finishSecret');
    await warm.use(({ session }) => session.append(() => ENTRY));
    expect((await world.state()).head.n).toBe(4);
  });
});

describe('killed at any call', () => {
  const last = 25;
  const moments = (['before', 'after'] as const).flatMap((when) =>
    Array.from({ length: last }, (_, index) => ({ at: index + 1, when })),
  );

  it('all its calls are tried', async () => {
    const world = await begun();
    expect(await world.rotate(T1)).toBeLessThanOrEqual(last);
  });

  it.each(moments)(
    '$when call $at, the secret still works, and the same rotation ends well',
    async (death) => {
      const world = await begun();
      const before = world.current().signing.publicKey;
      await world.rotate(T1, death).catch(() => undefined);
      expect(await keysInForce(world)).toContain(world.current().signing.publicKey);
      await world.rotate(T1);
      await expectRotated(world, before);
    },
  );

  it.each(moments)('$when call $at, the next rotation takes its place', async (death) => {
    const world = await begun();
    const before = world.current().signing.publicKey;
    await world.rotate(T1, death).catch(() => undefined);
    const between = world.current().signing.publicKey;
    await begun(world, T2);
    await world.rotate(T2);
    await expectRotated(world, between);
    expect(world.current().signing.publicKey).not.toBe(before);
    expect(world.versions.at('AWSCURRENT')).toBe(T2);
  });

  it.each(moments)('$when call $at, and again there, it ends well', async (death) => {
    const world = await begun();
    const before = world.current().signing.publicKey;
    for (let i = 0; i < 2; i++) await world.rotate(T1, death).catch(() => undefined);
    await world.rotate(T1);
    await expectRotated(world, before);
  });

  it.each(moments.filter(({ when }) => when === 'after'))(
    'a reply that is lost ($at) harms nothing',
    async (death) => {
      const world = await begun();
      const before = world.current().signing.publicKey;
      await world.rotate(T1, { ...death, lostReply: true }).catch(() => undefined);
      expect(await keysInForce(world)).toContain(world.current().signing.publicKey);
      await world.rotate(T1);
      await expectRotated(world, before);
    },
  );
});

describe('a call that the client repeats by itself', () => {
  it('finds the stage moved already, by its own first try, and the rotation goes on to its end', async () => {
    const world = await upTo('testSecret');
    const before = world.current().signing.publicKey;
    const { versions } = world;
    const moveStage = versions.moveStage.bind(versions);
    versions.moveStage = async (...move) => {
      await moveStage(...move);
      return moveStage(...move);
    };
    expect(await world.step(T1, 'finishSecret')).toBe('finished');
    await expectRotated(world, before);
  });
});

describe('a rotation that came no further', () => {
  it.each([
    ['without a value', undefined],
    ['with a value', 'createSecret'],
    ['whose key is in force already', 'setSecret'],
    ['that only had to be finished', 'testSecret'],
  ] as const)('%s is taken up, or replaced, and its key counts no more', async (_name, step) => {
    const world = step === undefined ? await begun() : await upTo(step);
    const before = world.current().signing.publicKey;
    const stuck = await keysInForce(world);
    await begun(world, T2);
    await world.rotate(T2);
    await expectRotated(world, before);
    expect(stuck).not.toContain(world.current().signing.publicKey);
  });

  it('is no concern of one that took its place: it is refused, and disturbs nothing', async () => {
    const world = await upTo('setSecret');
    await begun(world, T2);
    await world.step(T2, 'createSecret');
    for (const step of STEPS) await expect(world.step(T1, step)).rejects.toThrow(RotationRefusedError);
    for (const step of STEPS.slice(1)) await world.step(T2, step);
    expect(world.versions.at('AWSCURRENT')).toBe(T2);
  });

  it('left the old key: finishing late takes it out, unless the next rotation needs it', async () => {
    const world = await upTo('testSecret');
    await world.versions.moveStage('AWSCURRENT', 'first', T1);
    await begun(world, T2);
    await world.step(T2, 'createSecret');
    await world.step(T2, 'setSecret');
    const both = await keysInForce(world);
    expect(await world.step(T1, 'finishSecret')).toBe('finished');
    expect(await keysInForce(world)).toEqual(both);
    await world.step(T2, 'testSecret');
    await world.step(T2, 'finishSecret');
    expect(await keysInForce(world)).toEqual([world.current().signing.publicKey]);
  });
});

describe('what somebody else wrote meanwhile', () => {
  const byHand = (world: RotationWorld): string => {
    const secret = world.current();
    const keyring = [...secret.keyring, ...secret.keyring];
    return JSON.stringify({ ...secret, keyring });
  };

  it.each([
    ['createSecret', 'createSecret'],
    ['createSecret', 'setSecret'],
    ['setSecret', 'testSecret'],
    ['testSecret', 'finishSecret'],
  ] as const)(
    'after %s is not overwritten by %s, and the next rotation is made of it',
    async (done, next) => {
      const world = await upTo(done);
      const mine = byHand(world);
      world.versions.write('mine', mine);
      await expect(world.step(T1, next)).rejects.toThrow(/written by somebody else/);
      expect(world.versions.at('AWSCURRENT')).toBe('mine');
      expect(world.versions.values.get('mine')).toBe(mine);
      expect(world.versions.at('AWSPENDING')).toBeUndefined();
      await begun(world, T2);
      const before = world.current().signing.publicKey;
      await world.rotate(T2);
      await expectRotated(world, before);
      expect(world.current().keyring).toHaveLength(2);
    },
  );

  it('in the moment of the end wins, and the rotation says so', async () => {
    const world = await upTo('testSecret');
    const { versions } = world;
    const moveStage = versions.moveStage.bind(versions);
    const mine = byHand(world);
    versions.moveStage = (stage, from, to) => {
      if (stage === 'AWSCURRENT') versions.write('mine', mine);
      return moveStage(stage, from, to);
    };
    await expect(world.step(T1, 'finishSecret')).rejects.toThrow(/by somebody else just now/);
    expect(world.versions.at('AWSCURRENT')).toBe('mine');
    expect(await keysInForce(world)).toContain(world.current().signing.publicKey);
  });

  it('a copy that is damaged is given up as well', async () => {
    const world = await begun();
    await world.versions.put(T1, '{"signing":"hush-hush"}', 'AWSPENDING');
    const failed = await world.step(T1, 'createSecret').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(RotationRefusedError);
    expect(String(failed)).not.toContain('hush-hush');
    expect(world.versions.at('AWSPENDING')).toBeUndefined();
  });
});

describe('a step is refused', () => {
  it('when the secret does not rotate', async () => {
    const world = await begun();
    world.versions.enableRotation(false);
    await expect(world.step(T1, 'createSecret')).rejects.toThrow(/not set to rotate/);
  });

  it.each(STEPS)('for a version that is not known (%s)', async (step) => {
    await expect(createRotationWorld().step(T1, step)).rejects.toThrow(`version ${T1} has no stage`);
  });

  it('for a version that is the secret no more', async () => {
    const world = await begun();
    await world.rotate(T1);
    await expect(world.step('first', 'setSecret')).rejects.toThrow(/is not AWSPENDING/);
  });

  it.each(['setSecret', 'finishSecret'] as const)('before there is a value (%s)', async (step) => {
    const world = await begun();
    await expect(world.step(T1, step)).rejects.toThrow(/createSecret comes first/);
  });

  it.each(['testSecret', 'finishSecret'] as const)('before the new key is in force (%s)', async (step) => {
    const world = await upTo('createSecret');
    await expect(world.step(T1, step)).rejects.toThrow(/does not know this key of cloud/);
    expect(world.versions.at('AWSCURRENT')).toBe('first');
  });

  it('when the ledger does not know the key of the secret, and nothing is written', async () => {
    const world = await upTo('createSecret');
    const { factory } = world;
    const session = factory.session(factory.local, world.ledger);
    const others: KeysBody = {
      ...factory.keys,
      writers: factory.keys.writers.filter(({ writer }) => writer !== 'cloud'),
    };
    await session.pull();
    await session.append(() => ({ body: others }));
    await expect(world.step(T1, 'setSecret')).rejects.toThrow(/does not know this key/);
    expect(world.ledger.rows).toHaveLength(2);
  });

  it('when the vault keys of the secret are not the newest', async () => {
    const world = await upTo('createSecret');
    const { factory } = world;
    const session = factory.session(factory.local, world.ledger);
    await session.pull();
    await session.append(({ keys }) => (keys ? { body: { ...keys, keyEpoch: 2 } } : undefined));
    await expect(world.step(T1, 'setSecret')).rejects.toThrow(/no shared key of key epoch 2/);
  });

  it('when the halves of the new key do not belong together', async () => {
    const world = await begun();
    const secret = world.current();
    const signing = { publicKey: newSigningKey().publicKey, privateKey: newSigningKey().privateKey };
    await world.versions.put(T1, JSON.stringify({ ...secret, signing }), 'AWSPENDING');
    await world.step(T1, 'setSecret');
    await expect(world.step(T1, 'testSecret')).rejects.toThrow(/halves|import|key/i);
    expect(world.versions.at('AWSCURRENT')).toBe('first');
  });

  it('when the secret is damaged, without a word of its value', async () => {
    const world = await begun(createRotationWorld('{"signing":{"privateKey":"hush-hush"}}'));
    const failed = await world.step(T1, 'createSecret').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(RotationRefusedError);
    expect(String(failed)).toContain('the secret is damaged (vaultId, writer, signing');
    expect(String(failed)).not.toContain('hush-hush');
  });
});

describe('before employee init has written the secret', () => {
  const placeholder = '{"status":"placeholder","nonce":"x"}';

  it('a rotation ends without an error, and leaves nothing that the next would trip over', async () => {
    const world = await begun(createRotationWorld(placeholder));
    for (const step of STEPS) expect(await world.step(T1, step)).toBe('not-set-up');
    expect(world.versions.at('AWSPENDING')).toBeUndefined();
    expect(world.versions.values.get('first')).toBe(placeholder);
    expect(world.ledger.rows).toHaveLength(1);
  });
});

describe('when Secrets Manager tries the function out', () => {
  it('the secret itself is proved, and nothing changes', async () => {
    const world = await begun();
    expect(await world.step(T1, 'testSecret')).toBe('trial');
    expect(world.ledger.rows).toHaveLength(1);
    expect(world.versions.values.has(T1)).toBe(false);
  });
});
