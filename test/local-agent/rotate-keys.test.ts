import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { approveTask } from '#local-agent/approve.ts';
import { auditTrail } from '#local-agent/audit.ts';
import { collectGarbage, MIN_GRACE_MS } from '#local-agent/collect-garbage.ts';
import { executeApproved } from '#local-agent/execute.ts';
import { KeysMissingError } from '#local-agent/key-epochs.ts';
import { keysStatus } from '#local-agent/keys-status.ts';
import { repairVault } from '#local-agent/repair/repair-vault.ts';
import { beginAtCheckpoint, keepState } from '#local-agent/resume.ts';
import type { RotationRequest } from '#local-agent/rotate-keys.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { verifyVault } from '#local-agent/verify/verify.ts';
import { writerOf } from '#local-agent/writer.ts';
import { LedgerEntry, makeEntry } from '#protocol/ledger-entry.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import { newVaultKey, open } from '#protocol/seal.ts';
import type { Machine } from '#test/support/local-world.ts';
import { createRotationWorld, rotateAndDie } from '#test/support/rotation-world.ts';
import type { RotationWorld } from '#test/support/rotation-world.ts';
import { readTree } from '#test/support/vault-tree.ts';

const COMPROMISED: RotationRequest = { compromised: { without: [] } };
const DAY_MS = 86_400_000;

let rotation: RotationWorld;
beforeEach(async () => {
  rotation = await createRotationWorld();
});
afterEach(() => rotation.dispose());

function write(machine: string, file: string, text: string): void {
  writeFileSync(path.join(rotation.world.machine(machine).vault, file), text);
}

function long(text: string): string {
  return `${text}\n${'so much to say that it stands outside of its entry. '.repeat(400)}\n`;
}

/** Mails, small and large files, shared and private, from both machines, and a function. */
async function someLife(round = 0): Promise<void> {
  const { world } = rotation;
  await (round === 0 ? world.draft('mail') : rotation.note(rotation.zone(), `round-${round}`));
  write('laptop', `Diary ${round}.md`, long(`secret thoughts ${round}`));
  write('laptop', 'Handbook.md', long(`Answer politely. (${round})`));
  write('laptop', `small ${round}.md`, 'small');
  await syncVault(world.agent);
  await syncVault(desktop());
  write('desktop', `Of the desktop ${round}.md`, long(`the desktop's ${round}`));
  await syncVault(desktop());
  await syncVault(world.agent);
}

function desktop(): Agent {
  return rotation.world.machine('desktop').agent;
}

function lastEntry(): LedgerEntry {
  return LedgerEntry.parse(rotation.world.ledger.rows.at(-1)?.entry);
}

/** Both machines have the same tree, nothing is left to do, and everything can be proved. */
async function expectSound(laptop: Agent, other = desktop()): Promise<void> {
  for (const agent of [laptop, other, laptop, other]) await syncVault(agent);
  const { length } = rotation.world.ledger.rows;
  for (const agent of [laptop, other])
    expect(await syncVault(agent)).toMatchObject({ applied: 0, pushed: 0 });
  expect(rotation.world.ledger.rows).toHaveLength(length);
  expect(readTree(rotation.world.machine('desktop').vault).contents).toEqual(
    readTree(rotation.world.vault).contents,
  );
  for (const agent of [laptop, other]) {
    const { ok, problems } = await verifyVault(agent);
    expect({ ok, problems }).toEqual({ ok: true, problems: [] });
  }
}

/** What an import does, without a file: the machine is handed the keys of another one. */
function handOver(from: Agent, to: Agent): void {
  const [given, own] = [from.keyStore?.read(), to.keyStore?.read()];
  if (!given || !own) throw new Error('both machines keep keys');
  to.keyStore?.write({ ...own, keyring: given.keyring, approval: given.approval });
}

describe('a rotation', () => {
  it('puts the next key epoch into force for everybody, and nothing is lost', async () => {
    const { world } = rotation;
    await someLife();
    const warm = rotation.zone();
    await rotation.note(warm, 'before');
    const [report] = await rotation.rotate();
    expect(report).toMatchObject({ keyEpoch: 2, compromised: false, goneOn: false, voided: [] });
    expect(world.agent.session.state.keys?.keyEpoch).toBe(2);
    expect(lastEntry()).toMatchObject({ kind: 'checkpoint', keyEpoch: 2 });
    await rotation.note(warm, 'warm');
    await rotation.note(rotation.zone(), 'cold');
    await someLife(1);
    await expectSound(world.agent);
    const after = world.ledger.rows.map(({ entry }) => LedgerEntry.parse(entry)).slice(report?.entry);
    expect(new Set(after.map(({ keyEpoch }) => keyEpoch))).toEqual(new Set([2]));
    expect(new Set(after.map(({ writer }) => writer))).toEqual(new Set(['laptop', 'desktop', 'cloud']));
  });

  it('gives the other machine the keys in the ledger, durably, with the entry from which they count', async () => {
    await someLife();
    const [report] = await rotation.rotate();
    await syncVault(desktop());
    const [mine, other] = [rotation.world.agent, desktop()].map(({ keyStore }) => keyStore?.read().keyring);
    expect(other).toEqual(mine);
    expect(other?.[1]).toMatchObject({ keyEpoch: 2, from: { n: report?.entry } });
    const restarted = rotation.world.machine('desktop').restart();
    await expectSound(rotation.world.agent, restarted);
  });

  it('takes nothing that this machine cannot keep: the keys come before the entry', async () => {
    await someLife();
    await rotation.rotate();
    const full = rotation.world.machine('desktop').restart({
      keyStore: {
        read: () => desktop().keys,
        write: () => {
          throw new Error('the disk is full');
        },
        backUp: (reason) => reason,
      },
    });
    await expect(syncVault(full)).rejects.toThrow('the disk is full');
    expect(full.copy.last()).toBe(full.session.state.head.n);
    expect(full.session.state.keys?.keyEpoch).toBe(1);
    await expectSound(rotation.world.agent, rotation.world.machine('desktop').restart());
  });

  it('is for the machine that began the vault alone', async () => {
    await someLife();
    await expect(rotation.rotate({}, desktop())).rejects.toThrow('only the machine that began the vault');
    expect(desktop().keys.keyring).toHaveLength(1);
  });

  it('can be done again and again, and a machine that slept through all of it goes on', async () => {
    const { world } = rotation;
    await someLife();
    for (const request of [{}, {}, {}]) await rotation.rotate(request);
    await someLife(1);
    expect(world.agent.session.state.keys?.keyEpoch).toBe(4);
    expect(rotation.readSecret().keyring.map(({ keyEpoch }) => keyEpoch)).toEqual([1, 2, 3, 4]);
    await rotation.note(rotation.zone(), 'cold');
    await expectSound(world.agent);
  });

  it('mends a secret that was put back to what it had been', async () => {
    await someLife();
    const old = await rotation.secret.read();
    await rotation.rotate();
    await rotation.secret.write(old);
    const [report] = await rotation.rotate();
    expect(report).toMatchObject({ keyEpoch: 2, goneOn: true });
    expect(rotation.readSecret().keyring).toHaveLength(2);
  });

  it('tells which keys are in force, who has them, and when it is time for new ones', async () => {
    const { world } = rotation;
    await someLife();
    await rotation.rotate();
    expect(keysStatus(world.agent)).toMatchObject({
      keyEpoch: 2,
      isOld: false,
      atHand: [1, 2],
      writers: [
        { writer: 'laptop' },
        { writer: 'desktop', lastEntry: null },
        { writer: 'cloud', lastEntry: null },
      ],
    });
    await rotation.note(rotation.zone(), 'cold');
    await syncVault(world.agent);
    const { n } = lastEntry();
    expect(keysStatus(world.agent)?.writers[2]).toEqual({ writer: 'cloud', zone: 'cloud', lastEntry: n });
    world.clock.advance(366 * DAY_MS);
    expect(keysStatus(world.agent)).toMatchObject({ ageDays: 366, isOld: true });
  });
});

describe('the functions', () => {
  it.each([
    ['an ordinary rotation', {}],
    ['one after a compromise', COMPROMISED],
  ])('go on at every moment of %s, warm and cold', async (_name, request) => {
    await someLife();
    await rotation.note(rotation.zone(), 'first');
    const warm = rotation.zone();
    await rotation.note(warm, 'warm-0');
    let moments = 0;
    await rotateAndDie(rotation, request, { at: 0, when: 'before' }, async (call) => {
      if (!/append|write|put/.test(call)) return;
      moments += 1;
      await rotation.note(warm, `warm-${moments}`);
      await rotation.note(rotation.zone(), `cold-${moments}`);
    });
    expect(moments).toBeGreaterThan(4);
    const agent = rotation.world.restart();
    await syncVault(agent);
    expect(agent.session.state.refusals).toEqual([]);
    expect(
      [...agent.session.state.tasks.values()].filter(({ note }) => note?.name.startsWith('cold-')),
    ).toHaveLength(moments);
    expect((await verifyVault(agent)).problems).toEqual([]);
  });
});

describe('a rotation that is killed', () => {
  it.each([
    ['an ordinary one', {}],
    ['one after a compromise', COMPROMISED],
  ])('anywhere and run again is complete, and was one: %s', { timeout: 120_000 }, async (_name, request) => {
    await someLife();
    const calls = await rotateAndDie(rotation, request, { at: 0, when: 'before' });
    expect(calls).toBeGreaterThan(10);
    rotation.dispose();
    for (let at = 1; at <= calls; at++) {
      for (const when of ['before', 'after'] as const) {
        rotation = await createRotationWorld();
        await someLife();
        await rotateAndDie(rotation, request, { at, when });
        const agent = rotation.world.restart();
        const begun = agent.keys.rotation !== undefined;
        // All of it may have been done when it died.
        const isDone = !begun && agent.session.state.keys?.keyEpoch === 2;
        if (!isDone) await rotation.rotate(request, agent);
        const place = `killed ${when} call ${at}`;
        const keys = agent.keyStore?.read();
        expect(keys?.rotation, place).toBeUndefined();
        expect(
          keys?.keyring.map(({ keyEpoch, from }) => [keyEpoch, from !== undefined]),
          place,
        ).toEqual([
          [1, false],
          [2, true],
        ]);
        const secret = rotation.readSecret();
        expect(secret.keyring, place).toEqual(keys?.keyring.map(({ private: _private, ...rest }) => rest));
        const { state } = agent.session;
        expect(
          state.keys?.writers.find(({ writer }) => writer === 'cloud'),
          place,
        ).toEqual({
          writer: 'cloud',
          zone: 'cloud',
          publicKey: secret.signing.publicKey,
        });
        expect(state.keys?.approvers[0]?.publicKey, place).toBe(keys?.approval.publicKey);
        expect(state.refusals, place).toEqual([]);
        expect((state.checkpointN ?? 0) > (state.epochStart?.n ?? 0), place).toBe(true);
        expect((await verifyVault(agent)).problems, place).toEqual([]);
        rotation.dispose();
      }
    }
    rotation = await createRotationWorld();
  });
});

describe('after a compromise', () => {
  /** Whoever took the keys' file of the desktop before the rotation, and the cloud's secret. */
  function attacker(): { readonly asDesktop: Writer; readonly asCloud: Writer } {
    const { keyring, signing } = structuredClone(desktop().keys);
    const asDesktop = { ...writerOf(desktop()), signingKey: signing, keyring };
    const old = structuredClone(rotation.readSecret());
    return {
      asDesktop,
      asCloud: { vaultId: 'v-test', writer: 'cloud', signingKey: old.signing, keyring: old.keyring },
    };
  }

  const forged = { body: { kind: 'override', reason: 'x', what: { of: 'repair', code: 'x' } } } as const;

  it('old keys write nothing that anybody takes, be they the cloud zone’s or a machine’s', async () => {
    const { world } = rotation;
    await someLife();
    const { asDesktop, asCloud } = attacker();
    await rotation.rotate(COMPROMISED);
    const stamp = { at: world.clock.now(), attempt: 'forged' };
    await world.ledger.append(makeEntry(world.agent.session.state.head, forged, asDesktop, stamp));
    await syncVault(world.agent);
    expect(world.agent.session.state.refusals).toMatchObject([{ writer: 'desktop', code: 'old-keys' }]);
    const entry = makeEntry(world.agent.session.state.head, forged, asCloud, stamp);
    expect(() => world.agent.session.admit(entry)).toThrow('its signature is not by cloud');
  });

  it('old keys stop nobody with an entry that does not open', async () => {
    const { world } = rotation;
    await someLife();
    const { asDesktop } = attacker();
    await rotation.rotate();
    const stamp = { at: world.clock.now(), attempt: 'junk' };
    const other = { ...asDesktop, keyring: [{ keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() }] };
    const { n } = makeEntry(world.agent.session.state.head, forged, other, stamp);
    await world.ledger.append(makeEntry(world.agent.session.state.head, forged, other, stamp));
    await rotation.note(rotation.zone(), 'cold');
    await syncVault(world.agent);
    expect(auditTrail(world.agent).length).toBeGreaterThan(n - 1);
    expect(await rotation.rotate(COMPROMISED)).toMatchObject([{ keyEpoch: 3, unreadable: 0 }]);
    expect((await verifyVault(world.agent)).problems).toMatchObject([{ code: 'incident', n }]);
    expect(world.restart().session.state.keys?.keyEpoch).toBe(3);
  });

  it('a machine that was lost may write nothing at all', async () => {
    const { world } = rotation;
    await someLife();
    const { asDesktop } = attacker();
    await rotation.rotate({ compromised: { without: ['desktop'] } });
    expect(world.agent.session.state.keys?.writers.map(({ writer }) => writer)).toEqual(['laptop', 'cloud']);
    const stamp = { at: world.clock.now(), attempt: 'forged' };
    const entry = makeEntry(world.agent.session.state.head, forged, asDesktop, stamp);
    expect(() => world.agent.session.admit(entry)).toThrow('has no key in this ledger');
    await expect(rotation.rotate({ compromised: { without: ['desktop'] } })).rejects.toThrow(
      '--without desktop',
    );
    expect(world.agent.keys.rotation).toBeUndefined();
  });

  it('old keys open nothing that is stored from then on, and nothing that was stored before is needed', async () => {
    const { world } = rotation;
    await someLife();
    await someLife(1);
    const keys = structuredClone(world.agent.keys.keyring);
    const before = new Set(world.blobs.blobs.keys());
    const [report] = await rotation.rotate(COMPROMISED);
    expect(report?.resealed).toBeGreaterThan(5);
    expect(report?.unreadable).toBe(0);
    await rotation.note(rotation.zone(), 'cold');
    const fresh = [...world.blobs.blobs].filter(([id]) => !before.has(id));
    expect(fresh.length).toBeGreaterThan(1);
    for (const [id, sealed] of fresh) {
      for (const ring of ['shared', 'private'] as const) {
        for (const key of keys) {
          expect(() => open(key[ring] ?? '', sealed, `v-test/blob/${id}`)).toThrow('another key');
        }
      }
    }
    world.clock.advance(2 * DAY_MS);
    await rotation.note(rotation.zone(), 'later');
    const { garbage } = await collectGarbage(world.agent, { graceMs: MIN_GRACE_MS, act: true });
    expect(new Set(garbage.map(({ id }) => id))).toEqual(before);
    handOver(world.agent, desktop());
    await expectSound(world.agent);
  });

  it('a version of before is still there to merge upon, though its old object is gone', async () => {
    const { world } = rotation;
    const text = (first: string, last: string): string => `${first}\n\n${long('in between')}\n${last}\n`;
    write('laptop', 'Plan.md', text('begin', 'end'));
    await syncVault(world.agent);
    await syncVault(desktop());
    write('desktop', 'Plan.md', text('begin', 'end, by the desktop'));
    await rotation.rotate(COMPROMISED);
    write('laptop', 'Plan.md', text('begin, by the laptop', 'end'));
    world.clock.advance(2 * DAY_MS);
    await syncVault(world.agent);
    const { removed } = await collectGarbage(world.agent, { graceMs: MIN_GRACE_MS, act: true });
    expect(removed).toBeGreaterThan(0);
    handOver(world.agent, desktop());
    expect((await syncVault(desktop())).conflicts).toEqual([]);
    await expectSound(world.agent);
    const merged = readFileSync(path.join(world.vault, 'Plan.md'), 'utf8');
    expect(merged).toBe(text('begin, by the laptop', 'end, by the desktop'));
  });

  it('another machine stops in front of it with words, and goes on once it was handed the keys', async () => {
    const { world } = rotation;
    await someLife();
    await rotation.rotate(COMPROMISED);
    const { length } = world.ledger.rows;
    const stopped = desktop();
    await expect(syncVault(stopped)).rejects.toThrow(KeysMissingError);
    await expect(syncVault(stopped)).rejects.toThrow('employee keys import FILE');
    expect(world.ledger.rows).toHaveLength(length);
    handOver(world.agent, stopped);
    // The very process that had stopped: a daemon needs no restart.
    await expectSound(world.agent, stopped);
    await someLife(1);
    await expectSound(world.agent, world.machine('desktop').restart());
  });

  it('a machine that has yet to fetch its history goes on, too, in the very process that had stopped', async () => {
    rotation.dispose();
    rotation = await createRotationWorld(['laptop', 'desktop', 'tablet']);
    const { world } = rotation;
    await someLife();
    await rotation.rotate();
    handOver(world.agent, world.machine('tablet').agent);
    await beginAtCheckpoint(world.machine('tablet').restart());
    const tablet = world.machine('tablet').restart();
    await rotation.rotate(COMPROMISED);
    await expect(syncVault(tablet)).rejects.toThrow(KeysMissingError);
    handOver(world.agent, tablet);
    await syncVault(tablet);
    expect(readTree(world.machine('tablet').vault).contents).toEqual(readTree(world.vault).contents);
    expect(tablet.copy.begins()).toBe(1);
  });

  it('what was approved with the old key waits for a new approval, and is not run', async () => {
    const { world } = rotation;
    const { agent } = world;
    const taskId = await world.draft('lunch');
    await syncVault(agent);
    await approveTask(agent, taskId, { method: 'command' });
    const [report] = await rotation.rotate(COMPROMISED);
    expect(report?.voided).toEqual([taskId]);
    await syncVault(agent);
    expect((await executeApproved(agent, { undoSeconds: 0 })).executed).toEqual([]);
    expect(world.tools.calls).toEqual([]);
    const task = agent.session.state.tasks.get(taskId);
    expect(task).toMatchObject({
      state: 'pending_approval',
      voided: expect.stringContaining('no longer') as string,
    });
    expect(
      Object.keys(readTree(world.vault).contents)
        .filter((file) => file.endsWith('.md'))
        .join(),
    ).toContain('Pending_Approval/');
    expect((await world.tasks.get(taskId))?.state).toBe('pending_approval');
    await approveTask(agent, taskId, { method: 'command' });
    await executeApproved(agent, { undoSeconds: 0 });
    expect(world.tools.calls).toHaveLength(1);
    handOver(agent, desktop());
    await expectSound(agent);
  });

  it('goes on with storing everything again where it was interrupted', async () => {
    await someLife();
    const { world } = rotation;
    const calls = await rotateAndDie(rotation, COMPROMISED, { at: 0, when: 'before' });
    expect(calls).toBeGreaterThan(0);
    const sealedAgain = world.ledger.rows.filter(
      ({ entry }) => LedgerEntry.parse(entry).kind === 'reseal',
    ).length;
    const [again] = await rotation.rotate({}, world.restart());
    expect(again).toMatchObject({ keyEpoch: 3, resealed: 0 });
    expect(sealedAgain).toBe(2);
  });

  it('follows upon an ordinary one that was not complete, in one run', async () => {
    await someLife();
    await rotateAndDie(rotation, {}, { at: 6, when: 'before' });
    const agent = rotation.world.restart();
    expect(agent.keys.rotation).toMatchObject({ keyEpoch: 2 });
    const reports = await rotation.rotate(COMPROMISED, agent);
    expect(reports.map(({ keyEpoch, compromised, goneOn }) => [keyEpoch, compromised, goneOn])).toEqual([
      [2, false, true],
      [3, true, false],
    ]);
    expect((await verifyVault(agent)).problems).toEqual([]);
  });
});

describe('an old head', () => {
  async function cutBefore(entry: number): Promise<void> {
    rotation.world.ledger.rows.length = entry - 1;
  }

  it('is refused by a new machine that was given the keys, and has no copy', async () => {
    rotation.dispose();
    rotation = await createRotationWorld(['laptop', 'desktop', 'tablet']);
    await someLife();
    const [report] = await rotation.rotate();
    const { ledger } = rotation.world;
    const machine = (name: string): Machine => rotation.world.machine(name);
    handOver(rotation.world.agent, machine('tablet').agent);
    const rows = [...ledger.rows];
    await cutBefore(report?.entry ?? 0);
    const tablet = machine('tablet').restart();
    await expect(syncVault(tablet)).rejects.toThrow('this ledger is an old one');
    expect(tablet.copy.last()).toBe(0);
    // The very ledger, once it is back.
    ledger.rows.push(...rows.slice(ledger.rows.length));
    await beginAtCheckpoint(tablet);
    const begun = machine('tablet').restart();
    expect(begun.session.state.head.n).toBe(report?.entry);
    await syncVault(begun);
    expect(readTree(machine('tablet').vault).contents).toEqual(readTree(rotation.world.vault).contents);
  });

  it('is refused by a function that starts with the keys of after', async () => {
    await someLife();
    const [report] = await rotation.rotate();
    await cutBefore(report?.entry ?? 0);
    rotation.world.blobs.blobs.clear();
    await expect(rotation.note(rotation.zone(), 'cold')).rejects.toThrow('this ledger is an old one');
    expect(rotation.world.ledger.rows).toHaveLength((report?.entry ?? 0) - 1);
  });
});

describe('after several rotations of both kinds', () => {
  async function threeEpochs(): Promise<Agent> {
    const { world } = rotation;
    await someLife();
    await rotation.rotate();
    await someLife(1);
    await rotation.rotate(COMPROMISED);
    handOver(world.agent, desktop());
    await someLife(2);
    await rotation.rotate();
    await someLife(3);
    return world.agent;
  }

  it.each(['from the newest checkpoint', 'from the first entry'])(
    'a further machine with the keys has everything, %s',
    async (how) => {
      rotation.dispose();
      rotation = await createRotationWorld(['laptop', 'desktop', 'tablet']);
      const agent = await threeEpochs();
      const { world } = rotation;
      handOver(agent, world.machine('tablet').agent);
      if (how === 'from the newest checkpoint') await beginAtCheckpoint(world.machine('tablet').restart());
      const tablet = world.machine('tablet').restart();
      expect(tablet.session.state.head.n > 0).toBe(how === 'from the newest checkpoint');
      await syncVault(tablet);
      await expectSound(agent, tablet);
      expect(readTree(world.machine('tablet').vault).contents).toEqual(readTree(world.vault).contents);
    },
  );

  it('a restart from the copy, with its kept state and without, goes on', async () => {
    const agent = await threeEpochs();
    const { world } = rotation;
    keepState(agent.copy, agent.session.state, Number.POSITIVE_INFINITY);
    await expectSound(world.restart(), world.machine('desktop').restart());
  });

  it('a copy that was lost is read again, and contents that were lost are stored again', async () => {
    const agent = await threeEpochs();
    const { world } = rotation;
    const { content } = agent.session.state.files.get('Diary 3.md') ?? {};
    const id = content && 'blob' in content ? (content.pack?.id ?? content.blob) : undefined;
    if (id === undefined) throw new Error('something is stored outside of the ledger');
    world.blobs.blobs.delete(id);
    const { done, left } = await repairVault(agent, { act: true });
    expect(left).toEqual([]);
    expect(done.map(({ code }) => code)).toContain('contents');
    for (const end of ['', '-wal', '-shm']) {
      rmSync(path.join(path.dirname(world.vault), `ledger.db${end}`), { force: true });
    }
    await expectSound(world.restart());
  });
});
