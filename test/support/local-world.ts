import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Agent } from '#local-agent/agent.ts';
import { makeAgent } from '#local-agent/agent.ts';
import type { AgentPorts } from '#local-agent/agent.ts';
import { LedgerCopy } from '#local-agent/ledger-copy.ts';
import { createNodeFiles } from '#local-agent/node-files.ts';
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

/** One owner's machine and one cloud, without any service: all ports in memory, the vault a temp folder. */
export interface LocalWorld {
  readonly agent: Agent;
  readonly clock: FixedClock;
  readonly ledger: MemoryLedgerStore;
  readonly tasks: MemoryTaskStore;
  readonly tools: SpyTools;
  readonly vault: string;
  /** The cloud zone as a writer of the same ledger. */
  readonly cloud: LedgerSession;
  readonly cloudKey: SigningKey;
  /** Lets the cloud bring in a mail and draft an answer; the task waits for approval then. */
  draft(name?: string, text?: string): Promise<string>;
  /** Appends anything as the cloud, or as the local zone. */
  forge(by: 'cloud' | 'local', body: LedgerBody, of?: { taskId: string; epoch: number }): Promise<number>;
  /** The same machine after a restart: state is replayed from what is on disk. Ports may be replaced. */
  restart(ports?: Partial<AgentPorts>): Agent;
  dispose(): void;
}

/** Makes a world with an empty vault and the entry of keys. */
export async function createLocalWorld(): Promise<LocalWorld> {
  const root = mkdtempSync(path.join(tmpdir(), 'employee-world-'));
  const vault = path.join(root, 'vault');
  mkdirSync(vault);
  writeFileSync(path.join(vault, SENTINEL), JSON.stringify({ vaultId: 'v-test' }));
  const keys = {
    signing: newSigningKey(),
    approval: newSigningKey(),
    keyring: [{ keyEpoch: 1, shared: newVaultKey(), private: newVaultKey() }],
  };
  const cloudKey = newSigningKey();
  const clock = createFixedClock();
  const ledger = createMemoryLedgerStore();
  const tasks = createMemoryTaskStore();
  const tools = createSpyTools();
  const ids = createCountingIds('an-id-of-the-test-');
  const ports = (): AgentPorts => ({
    config: {
      version: 1,
      vaultId: 'v-test',
      agent: 'laptop',
      approver: 'owner',
      vault,
      region: 'eu-central-1',
      stack: OUTPUTS,
      root: keys.signing.publicKey,
      pollMs: 1000,
      deskPort: 0,
    },
    keys,
    ledger,
    tasks,
    blobs,
    files: createNodeFiles(vault),
    tools,
    clock,
    ids,
    copy: new LedgerCopy(path.join(root, 'ledger.db')),
    log: () => undefined,
  });
  const blobs = createMemoryBlobStore();
  const first = ports();
  const copies = [first.copy];
  const agent = makeAgent(first);
  await agent.session.append(() => ({
    body: {
      kind: 'keys',
      keyEpoch: 1,
      writers: [
        { writer: 'laptop', zone: 'local', publicKey: keys.signing.publicKey },
        { writer: 'cloud', zone: 'cloud', publicKey: cloudKey.publicKey },
      ],
      approvers: [{ approver: 'owner', publicKey: keys.approval.publicKey }],
    },
  }));
  const keyring = keys.keyring.map(({ keyEpoch, shared }) => ({ keyEpoch, shared }));
  const cloud = new LedgerSession(
    { vaultId: 'v-test', writer: 'cloud', signingKey: cloudKey, keyring },
    keys.signing.publicKey,
    { ledger, clock, ids },
  );
  const asCloud = async (...changes: TaskChange[]): Promise<void> => {
    await cloud.pull();
    await cloud.append(() => ({ body: { kind: 'task', changes } }));
  };
  return {
    agent,
    clock,
    ledger,
    tasks,
    tools,
    vault,
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
    restart(replaced = {}) {
      const fresh = ports();
      copies.push(fresh.copy);
      return makeAgent({ ...fresh, ...replaced });
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
