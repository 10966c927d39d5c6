import { describe, expect, it, vi } from 'vitest';
import { claimMutants } from './claim-mutants.ts';
import { claimModel } from './claim-model.ts';
import { effectMutants } from './effect-mutants.ts';
import { effectModel } from './effect-model.ts';
import { explore } from './explore.ts';
import type { Model } from './explore.ts';
import { ledgerMutants } from './ledger-mutants.ts';
import { ledgerModel } from './ledger-model.ts';
import { machineModel } from './machine-model.ts';
import { CLAIM_AND_TAKEOVER, EXECUTION, SCENES } from './machine-scenes.ts';
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

describe('two agents, in every order, with a lost reply and a death', () => {
  it('append to the ledger: no hole, nothing rewritten or said twice, and everybody knows the truth', async () => {
    const model = await ledgerModel({ writers: 2, wishes: 1, losses: 2, deaths: 1 });
    await expectSound('ledger, 2 writers', model, 7_000);
  });

  it('claim, renew, release, hand over and take over: one owner an epoch, and no dead end', async () => {
    const model = claimModel({ agents: ['local', 'local'], tries: 1, losses: 1, deaths: 1 });
    await expectSound('claims, 2 machines', model, 8_000);
  });

  it('claim against the cloud, which takes only what is at home there', async () => {
    const model = claimModel({ agents: ['local', 'cloud'], tries: 1, losses: 1, deaths: 1 });
    await expectSound('claims, a machine and the cloud', model, 10_000);
  });

  it('write whatever they may to the ledger: at most one effect an approval, and late writers are refused', async () => {
    const model = effectModel({ writers: ['laptop', 'cloud'], approvals: 1, maxEpoch: 3 });
    await expectSound('effects, a machine and the cloud', model, 250);
  });

  it.each(Object.entries(SCENES))('run the product itself when nothing fails: %s', async (name, scene) => {
    const model = await machineModel({ ...scene, losses: 0, deaths: 0 });
    await expectSound(`machines, ${name}`, model, 500);
  });

  it('run the product itself and lose any one reply: a claim and a takeover', async () => {
    const model = await machineModel({ ...CLAIM_AND_TAKEOVER, losses: 1, deaths: 0 });
    await expectSound('machines, a claim and a takeover, a loss', model, 3_000);
  });

  it('run the product itself and die at any one request: a claim and a takeover', async () => {
    const model = await machineModel({ ...CLAIM_AND_TAKEOVER, losses: 0, deaths: 1 });
    await expectSound('machines, a claim and a takeover, a death', model, 3_000);
  });

  it('execute what was approved, with a lost reply and a death: at most once, and the unknown is told', async () => {
    const model = await machineModel({ ...EXECUTION, losses: 1, deaths: 1 });
    await expectSound('machines, an execution, a loss and a death', model, 1_500);
  });
});

describe('a broken rule is found, by the shortest way to it', () => {
  it.each(ledgerMutants())('$name: in $steps steps', async ({ rules, steps, wrong }) => {
    await expectFound(
      await ledgerModel({ writers: 2, wishes: 1, losses: 2, deaths: 1 }, rules),
      steps,
      wrong,
    );
  });

  it.each(claimMutants())('$name: in $steps steps', async ({ rules, steps, wrong }) => {
    const size = { agents: ['local', 'local'], tries: 2, losses: 1, deaths: 0 } as const;
    await expectFound(claimModel(size, rules), steps, wrong);
  });

  it.each(effectMutants())('$name: in $steps steps', async ({ apply, steps, wrong }) => {
    const size = { writers: ['laptop', 'desktop', 'cloud'], approvals: 1, maxEpoch: 3 };
    await expectFound(effectModel(size, apply), steps, wrong);
  });
});

async function expectFound<State>(model: Model<State>, steps: number, wrong: RegExp): Promise<void> {
  const { violation } = await explore(model);
  expect(violation?.wrong).toMatch(wrong);
  expect(violation?.trace).toHaveLength(steps);
}
