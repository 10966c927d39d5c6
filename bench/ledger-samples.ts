import { taskIdOfMail } from '#protocol/ids.ts';
import type { TaskChange } from '#protocol/ledger-body.ts';
import { entryHash, makeEntry, GENESIS_PREV } from '#protocol/ledger-entry.ts';
import type { LedgerEntry, LedgerHead, Writer } from '#protocol/ledger-entry.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { newVaultKey } from '#protocol/seal.ts';
import { newSigningKey } from '#protocol/signing.ts';

/** A ledger as a year of mail leaves it: one entry that makes a task, one that drafts its answer. */
export interface SampleLedger {
  readonly reader: Writer;
  readonly entries: readonly LedgerEntry[];
  /** By writer. */
  readonly publicKeys: ReadonlyMap<string, string>;
}

/** Makes a ledger of `count` entries, each signed and chained; all of them are good. */
export function makeLedger(count: number): SampleLedger {
  const keyring = [{ keyEpoch: 1, shared: newVaultKey() }];
  const reader: Writer = { vaultId: 'vault-1', writer: 'laptop', signingKey: newSigningKey(), keyring };
  const cloud: Writer = { vaultId: 'vault-1', writer: 'cloud', signingKey: newSigningKey(), keyring };
  const entries: LedgerEntry[] = [];
  let head: LedgerHead = { n: 0, hash: GENESIS_PREV };
  const append = (body: Parameters<typeof makeEntry>[1]['body'], writer: Writer): void => {
    const stamp = { at: '2026-11-21T08:00:00.000Z', attempt: `attempt-${head.n + 1}` };
    const entry = makeEntry(head, { body }, writer, stamp);
    entries.push(entry);
    head = { n: entry.n, hash: entryHash(entry) };
  };
  append(
    {
      kind: 'keys',
      keyEpoch: 1,
      writers: [
        { writer: 'laptop', zone: 'local', publicKey: reader.signingKey.publicKey },
        { writer: 'cloud', zone: 'cloud', publicKey: cloud.signingKey.publicKey },
      ],
      approvers: [],
    },
    reader,
  );
  for (let mail = 0; entries.length < count; mail++) {
    append({ kind: 'task', changes: [created(mail)] }, cloud);
    if (entries.length < count) append({ kind: 'task', changes: drafted(mail) }, cloud);
  }
  const publicKeys = new Map([reader, cloud].map(({ writer, signingKey }) => [writer, signingKey.publicKey]));
  return { reader, entries, publicKeys };
}

const QUOTE = '> A line of the mail, as it stands in the note below the draft.\n'.repeat(25);
const DRAFT = 'Thank you for your message. Both days suit us well.\n'.repeat(8);

function created(mail: number): TaskChange {
  return {
    taskId: taskIdOfMail(`sample-${mail}`),
    epoch: 0,
    event: 'created',
    state: 'needs_action',
    home: 'cloud',
    reason: 'question: it asks something',
    mail: {
      sesMessageId: `sample-${mail}`,
      messageId: `<sample-${mail}@lindenworks.example>`,
      references: [],
      from: { name: 'Maya Linden', address: 'maya@lindenworks.example' },
      answerTo: [{ name: 'Maya Linden', address: 'maya@lindenworks.example' }],
      subject: 'Two places in the December weekend?',
      receivedAt: '2026-11-21T08:00:00.000Z',
      envelopeFrom: 'maya@lindenworks.example',
      authentication: { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' },
      attachments: [],
    },
    warnings: [],
    note: noteOf(mail, QUOTE),
  };
}

function drafted(mail: number): TaskChange[] {
  const facts = { taskId: taskIdOfMail(`sample-${mail}`), epoch: 1, owner: 'cloud' } as const;
  return [
    { ...facts, event: 'draft_started' },
    { ...facts, event: 'drafted', home: 'local', warnings: [], note: noteOf(mail, `${DRAFT}${QUOTE}`) },
  ];
}

function noteOf(mail: number, words: string): NonNullable<TaskChange['note']> {
  const text = `---\ntask: ${mail}\n---\n\n${words}`;
  const content = { sha256: sha256Hex(text), sizeBytes: Buffer.byteLength(text), text };
  return { name: `2026-11-21 Two places in the December weekend (sample ${mail}).md`, content };
}
