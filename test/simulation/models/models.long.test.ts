import { describe, it, vi } from 'vitest';
import { claimModel } from './claim-model.ts';
import { effectModel } from './effect-model.ts';
import { ledgerModel } from './ledger-model.ts';
import { machineModel } from './machine-model.ts';
import { EXECUTION, SCENES, THREE } from './machine-scenes.ts';
import { expectSound } from './expect-sound.ts';

vi.mock('#protocol/seal.ts', async (original) => ({
  ...(await original<object>()),
  ...(await plain()).plainSeal,
}));
vi.mock('#protocol/signing.ts', async (original) => ({
  ...(await original<object>()),
  ...(await plain()).plainSigning,
}));
const plain = vi.hoisted(() => () => import('./plain-crypto.ts'));

describe('three agents, in every order, with a lost reply and a death', () => {
  it('append to the ledger: no hole, nothing rewritten or said twice, and everybody knows the truth', async () => {
    await expectSound(
      'ledger, 3 writers',
      await ledgerModel({ writers: 3, wishes: 1, losses: 1, deaths: 1 }),
      16_000,
    );
  });

  it('claim, renew, release, hand over and take over: one owner an epoch, and no dead end', async () => {
    const model = claimModel({ agents: ['local', 'local', 'local'], tries: 1, losses: 1, deaths: 1 });
    await expectSound('claims, 3 machines', model, 150_000);
  });

  it('write whatever they may to the ledger: at most one effect an approval, and late writers are refused', async () => {
    const model = effectModel({ writers: ['laptop', 'desktop', 'cloud'], approvals: 2, maxEpoch: 3 });
    await expectSound('effects, 2 machines and the cloud', model, 1_000);
  });

  it.each(Object.entries(THREE))('run the product itself when nothing fails: %s', async (name, scene) => {
    const model = await machineModel({ ...scene, losses: 0, deaths: 0 });
    await expectSound(`machines, ${name}`, model, 10_000);
  });
});

describe('two agents, further', () => {
  it('claim with two changes of the holder each, and a lost reply', async () => {
    const model = claimModel({ agents: ['local', 'local'], tries: 2, losses: 1, deaths: 0 });
    await expectSound('claims, 2 machines, 2 changes each', model, 45_000);
  });

  it('append two entries each', async () => {
    const model = await ledgerModel({ writers: 2, wishes: 2, losses: 1, deaths: 1 });
    await expectSound('ledger, 2 writers of 2 entries', model, 20_000);
  });

  it('lose three replies, after which an append gives up', async () => {
    const model = await ledgerModel({ writers: 2, wishes: 1, losses: 3, deaths: 1 });
    await expectSound('ledger, 2 writers, 3 losses', model, 40_000);
  });

  it('execute what was approved, with a lost reply and two deaths', async () => {
    const model = await machineModel({ ...EXECUTION, losses: 1, deaths: 2 });
    await expectSound('machines, an execution, a loss, two deaths', model, 40_000);
  });

  it.each(Object.entries(SCENES))(
    'run the product itself and die at any one request: %s',
    async (name, scene) => {
      const model = await machineModel({ ...scene, losses: 0, deaths: 1 });
      await expectSound(`machines, ${name}, a death`, model, 20_000);
    },
  );

  it.each(Object.entries(SCENES))(
    'run the product itself and lose any one reply: %s',
    async (name, scene) => {
      const model = await machineModel({ ...scene, losses: 1, deaths: 0 });
      await expectSound(`machines, ${name}, a loss`, model, 15_000);
    },
  );
});
