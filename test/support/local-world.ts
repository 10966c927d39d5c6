import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Agent } from '#local-agent/agent.ts';
import { makeAgent } from '#local-agent/make-agent.ts';
import type { AgentPorts } from '#local-agent/agent.ts';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { createNodeFiles } from '#local-agent/files/node-files.ts';
import { SENTINEL } from '#local-agent/sync/sentinel.ts';
import type { ToolCall, ToolHost, ToolOutcome } from '#local-agent/tool-host.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { taskIdOfMail } from '#protocol/ids.ts';
import type { LedgerBody, NoteRef, TaskChange } from '#protocol/ledger-body.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { MailRecord } from '#protocol/mail.ts';
import { renderNote } from '#protocol/note.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';
import type { SigningKey } from '#protocol/signing.ts';
import { noteName } from '#protocol/vault-path.ts';
import { createCountingIds } from './memory/counting-ids.ts';
import { createFixedClock } from './memory/fixed-clock.ts';
import type { FixedClock } from './memory/fixed-clock.ts';
import { createMemoryBlobStore } from './memory/memory-blob-store.ts';
import type { MemoryBlobStore } from './memory/memory-blob-store.ts';
import { createMemoryKeyStore } from './memory/memory-key-store.ts';
import { createMemoryLedgerStore } from './memory/memory-ledger-store.ts';
import type { MemoryLedgerStore } from './memory/memory-ledger-store.ts';
import { createMemoryTaskStore } from './memory/memory-task-store.ts';
import type { MemoryTaskStore } from './memory/memory-task-store.ts';

const OUTPUTS = {
  tasksTable: 'tasks',
  ledgerTable: 'ledger',
  vaultBucket: 'vault',
  vaultSecretArn: 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:vault',
  fromAddress: 'assistant@example.com',
  ownAddresses: ['assistant@example.com'],
};

/** A tool host that only writes down what it was called with. */
export interface SpyTools extends ToolHost {
  readonly calls: ToolCall[];
  /** Why the tool cannot be used, if so. */
  unusable: string | undefined;
  /** What the next calls answer. */
  answer: (call: ToolCall) => Promise<ToolOutcome>;
}

/** One of the owner's machines: its own vault folder, ledger copy and signing key. */
export interface Machine {
  readonly agent: Agent;
  readonly vault: string;
  readonly tools: SpyTools;
  /** The same machine after a restart: state is replayed from what is on disk. Ports may be replaced. */
  restart(ports?: Partial<AgentPorts>): Agent;
}

/**
 * The owner's machines and one cloud, without any service: all ports in memory, the vaults temp folders.
 * What a `Machine` has is that of the first one.
 */
export interface LocalWorld extends Machine {
  readonly clock: FixedClock;
  readonly ledger: MemoryLedgerStore;
  readonly tasks: MemoryTaskStore;
  readonly blobs: MemoryBlobStore;
  /** A machine by its name. */
  machine(name: string): Machine;
  /** The cloud zone as a writer of the same ledger. */
  readonly cloud: LedgerSession;
  readonly cloudKey: SigningKey;
  /** Lets the cloud bring in a mail and draft an answer; the task waits for approval then. */
  draft(name?: string, text?: string): Promise<string>;
  /** Appends anything as the cloud, or as the local zone. */
  forge(by: 'cloud' | 'local', body: LedgerBody, of?: { taskId: string; epoch: number }): Promise<number>;
  dispose(): void;
}

/**
 * Makes a world with empty vaults and the entry of keys.
 *
 * @param names of the owner's machines; the first signs the entry of keys. @default ['laptop']
 * @param options `in memory` is faster, and no machine can be restarted from its copy.
 */
export async function createLocalWorld(
  names: readonly [string, ...string[]] = ['laptop'],
  options: { readonly copies: 'on disk' | 'in memory' } = { copies: 'on disk' },
): Promise<LocalWorld> {
  const root = mkdtempSync(path.join(tmpdir(), 'employee-world-'));
  const approval = newSigningKey();
  const keyring = [{ keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() }];
  const signing = new Map(names.map((name) => [name, newSigningKey()]));
  const rootKey = signing.get(names[0])?.publicKey ?? '';
  const cloudKey = newSigningKey();
  const clock = createFixedClock();
  const ledger = createMemoryLedgerStore();
  const tasks = createMemoryTaskStore();
  const blobs = createMemoryBlobStore(() => clock.now());
  const ids = createCountingIds('an-id-of-the-test-');
  const copies: LedgerCopy[] = [];
  const makeMachine = (name: string): Machine => {
    const vault = path.join(root, name, 'vault');
    mkdirSync(vault, { recursive: true });
    writeFileSync(path.join(vault, SENTINEL), JSON.stringify({ vaultId: 'v-test' }));
    const tools = createSpyTools();
    const keyStore = createMemoryKeyStore({
      signing: signing.get(name) ?? newSigningKey(),
      approval,
      keyring,
    });
    const start = (replaced: Partial<AgentPorts> = {}): Agent => {
      const keys = keyStore.read();
      const copy = new LedgerCopy(
        options.copies === 'in memory' ? ':memory:' : path.join(root, name, 'ledger.db'),
        keys.keyring,
      );
      copies.push(copy);
      return makeAgent({
        config: {
          version: 1,
          vaultId: 'v-test',
          agent: name,
          approver: 'owner',
          vault,
          region: 'eu-central-1',
          stack: OUTPUTS,
          root: rootKey,
          pollMs: 1000,
          deskPort: 0,
        },
        keys,
        keyStore,
        ledger,
        tasks,
        blobs,
        inventory: blobs,
        files: createNodeFiles(vault),
        tools,
        clock,
        ids,
        copy,
        log: () => undefined,
        ...replaced,
      });
    };
    return { agent: start(), vault, tools, restart: start };
  };
  const machines = new Map(names.map((name) => [name, makeMachine(name)]));
  const machine = (name: string): Machine => {
    const found = machines.get(name);
    if (!found) throw new Error(`there is no machine ${name}`);
    return found;
  };
  const first = machine(names[0]);
  const { agent } = first;
  await agent.session.append(() => ({
    body: {
      kind: 'keys',
      keyEpoch: 1,
      writers: [
        ...[...signing].map(([writer, { publicKey }]) => ({ writer, zone: 'local' as const, publicKey })),
        { writer: 'cloud', zone: 'cloud', publicKey: cloudKey.publicKey },
      ],
      approvers: [{ approver: 'owner', publicKey: approval.publicKey }],
    },
  }));
  const cloud = new LedgerSession(
    {
      vaultId: 'v-test',
      writer: 'cloud',
      signingKey: cloudKey,
      keyring: keyring.map(({ keyEpoch, shared }) => ({ keyEpoch, shared })),
    },
    rootKey,
    { ledger, clock, ids },
  );
  const asCloud = async (...changes: TaskChange[]): Promise<void> => {
    await cloud.pull();
    await cloud.append(() => ({ body: { kind: 'task', changes } }));
  };
  return {
    ...first,
    clock,
    ledger,
    tasks,
    blobs,
    machine,
    cloud,
    cloudKey,
    async draft(name = 'lunch', text = 'Hello Alice,\n\nTuesday suits me.\n\nRobin') {
      const taskId = taskIdOfMail(name);
      const mail = mailRecord(name);
      const note = noteOf(taskId, mail, text);
      await tasks.begin(taskId);
      await asCloud({ taskId, epoch: 0, event: 'created', state: 'needs_action', mail, note });
      const claim = await tasks.claim({
        taskId,
        owner: 'cloud',
        attemptId: `draft-${name}`,
        zone: 'cloud',
        from: ['received', 'needs_action'],
        to: 'drafting',
        leaseMs: 60_000,
      });
      if (!claim.won) throw new Error('the cloud could not claim');
      const { epoch } = claim.task;
      await asCloud(
        { taskId, epoch, event: 'draft_started', owner: 'cloud' },
        { taskId, epoch, event: 'drafted', owner: 'cloud', note },
      );
      await tasks.release({ taskId, owner: 'cloud', epoch, to: 'pending_approval', home: 'local' });
      return taskId;
    },
    async forge(by, body, of) {
      const session = by === 'cloud' ? cloud : agent.session;
      await session.pull();
      const outcome = await session.append(() => ({ body, ...of }));
      if (!outcome.appended) throw new Error('nothing was appended');
      return outcome.entry.n;
    },
    dispose() {
      for (const copy of copies) copy.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A mail's record as triage would write it. */
export function mailRecord(name: string): MailRecord {
  return {
    sesMessageId: name,
    messageId: `<${name}@pinewood.example>`,
    references: ['<first@pinewood.example>'],
    from: { name: 'Alice', address: 'alice@pinewood.example' },
    answerTo: [{ name: 'Alice', address: 'alice@pinewood.example' }],
    subject: `About ${name}`,
    receivedAt: '2026-11-21T07:59:00.000Z',
    envelopeFrom: 'alice@pinewood.example',
    authentication: { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' },
    attachments: [],
  };
}

/** The note of a drafted reply. */
export function noteOf(taskId: string, mail: MailRecord, draft: string): NoteRef {
  const text = renderNote({
    front: {
      task: taskId,
      kind: 'email.reply',
      to: ['alice@pinewood.example'],
      cc: [],
      subject: `Re: ${mail.subject}`,
      attachments: [],
    },
    preface: 'A draft for you.',
    draft,
    original: 'Shall we have lunch?',
  });
  const name = noteName({ taskId, subject: mail.subject, at: mail.receivedAt });
  return { name, content: { sha256: sha256Hex(text), sizeBytes: Buffer.byteLength(text), text } };
}

function createSpyTools(): SpyTools {
  const calls: ToolCall[] = [];
  const spy: SpyTools = {
    calls,
    unusable: undefined,
    prepare: () => Promise.resolve(spy.unusable),
    answer: () => Promise.resolve({ status: 'succeeded', providerId: 'ses-1' }),
    call(call) {
      calls.push(call);
      return spy.answer(call);
    },
    close: () => Promise.resolve(),
  };
  return spy;
}
