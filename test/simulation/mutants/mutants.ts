/** A change of one file: this text, which stands in it once, becomes another. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * By what a defect is found: seeds of the simulator and, where those miss it, the sweep; the small models, which go
 * through every interleaving; or a cut of the power at every call of a disk.
 */
export type Means = 'seeds' | 'models' | 'power cuts';

/** A defect that somebody could have made, and that has to be found. */
export interface Mutant {
  readonly name: string;
  /** @default 'seeds' */
  readonly by?: Means;
  /** Several where one line of defence stands behind another. */
  readonly edits: readonly Edit[];
}

const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace });

const CLAIMS: readonly Mutant[] = [
  {
    name: 'a claim takes what somebody else holds',
    edits: [
      edit(
        'protocol/claim.ts',
        '!(again && task.state === request.to)',
        '!(again || task.state === request.to)',
      ),
    ],
  },
  {
    name: 'a claim does not raise the epoch',
    edits: [
      edit(
        'protocol/claim.ts',
        '    leaseMs: request.leaseMs,\n    epoch: task.epoch + 1,',
        '    leaseMs: request.leaseMs,\n    epoch: task.epoch,',
      ),
    ],
  },
  {
    name: 'whoever lost a claim may still release it',
    edits: [
      edit(
        'protocol/claim.ts',
        'return holds(task, proof.owner) && task.epoch === proof.epoch;',
        'return task.owner !== undefined && proof.owner !== "";',
      ),
    ],
  },
  {
    name: 'a takeover that was refused is told as one that was made',
    edits: [
      edit('local-agent/claims/take-over.ts', '  if (!answer.won) {', '  if (answer === undefined) {'),
      edit(
        'local-agent/claims/take-over.ts',
        'const isMine = item?.owner === owner && item.attemptId === plan.attemptId;',
        'const isMine = item?.owner !== owner || item.attemptId === plan.attemptId;',
      ),
    ],
  },
  {
    name: 'a takeover does not look at the heartbeat, nor wait',
    by: 'models',
    edits: [
      edit('protocol/claim.ts', ' && task.heartbeat === seen.heartbeat;', ';'),
      edit(
        'local-agent/claims/silence-watch.ts',
        'return askedMs - before.sinceMs >= silenceMs(item) ? before.seen : undefined;',
        'return before.seen;',
      ),
      edit(
        'local-agent/claims/observe-claims.ts',
        'const waitMs = isForeign ? silenceMs(item) : Math.min(due.waitMs * 4, later);',
        'const waitMs = 0;',
      ),
    ],
  },
  {
    name: 'replay takes the word of old epochs',
    by: 'models',
    edits: [
      edit('protocol/replay-rules.ts', 'epoch >= task.epoch && epoch <=', 'epoch <='),
      edit(
        'protocol/replay-rules.ts',
        "(epoch === task.epoch ? incident('stale-epoch'",
        "(epoch === -1 ? incident('stale-epoch'",
      ),
    ],
  },
  {
    name: 'repair lowers the epoch of an item',
    edits: [
      edit(
        'local-agent/claims/claim-item.ts',
        'isUsable ? Math.max(task.epoch, item.epoch) : task.epoch',
        'isUsable ? 0 : 0',
      ),
    ],
  },
];

const EFFECTS: readonly Mutant[] = [
  {
    name: 'an unknown outcome is tried again at once',
    edits: [
      edit(
        'local-agent/call-once.ts',
        'const outcome = await agent.tools.call(call);',
        "let outcome = await agent.tools.call(call);\n    if (outcome.status === 'indeterminate') outcome = await agent.tools.call(call);",
      ),
    ],
  },
  {
    name: 'a call whose answer was not heard counts as failed',
    edits: [
      edit(
        'local-agent/finish.ts',
        "return { status: 'indeterminate', detail: 'this machine stopped between the call and its answer' };",
        "return { status: 'failed', detail: 'this machine stopped between the call and its answer' };",
      ),
    ],
  },
  {
    name: 'a call whose answer was not heard is filed as done',
    edits: [
      edit(
        'local-agent/finish.ts',
        "return { status: 'indeterminate', detail: 'this machine stopped between the call and its answer' };",
        "return { status: 'succeeded', providerId: 'unknown' };",
      ),
    ],
  },
  {
    name: 'an execution without a record counts as failed',
    edits: [
      edit(
        'local-agent/finish.ts',
        "return { status: 'indeterminate', detail: 'this machine has no record of the call' };",
        "return { status: 'failed', detail: 'this machine has no record of the call' };",
      ),
    ],
  },
  {
    name: 'that a call begins is not written down',
    edits: [edit('local-agent/call-once.ts', "agent.copy.journal(idempotencyKey, { stage: 'called' });", '')],
  },
  {
    name: 'the effect comes before its intent',
    edits: [
      edit(
        'local-agent/execute.ts',
        "agent.copy.journal(idempotencyKey, { stage: 'prepared' });",
        "const early = await agent.tools.call(call);\n  agent.copy.journal(idempotencyKey, { stage: 'answered', outcome: early });",
      ),
      edit(
        'local-agent/execute.ts',
        'await callOnce(agent, task, { call, idempotencyKey, epoch, leaseMs, still });',
        'void callOnce; void still;',
      ),
    ],
  },
  {
    name: 'an edit of an approved note does not void the approval',
    edits: [
      edit(
        'local-agent/sync/take-edit.ts',
        "const isVoid = task.state === 'approved';",
        'const isVoid = false;',
      ),
      edit(
        'local-agent/execute.ts',
        'if (sha256Hex(bytes) !== statement.noteDigest)',
        'if (sha256Hex(bytes) === "")',
      ),
      edit(
        'local-agent/execute.ts',
        'if (plan.actionsDigest === statement.actionsDigest) return plan;',
        'return plan;',
      ),
      edit(
        'local-agent/execute.ts',
        'actionsDigest: plan.actionsDigest,\n        actionIndex',
        "actionsDigest: task.approval?.approval.statement.actionsDigest ?? '',\n        actionIndex",
      ),
    ],
  },
  {
    name: 'an approval is not looked at: anybody may have signed it',
    edits: [
      edit('protocol/replay.ts', "  'approval',\n  'intent'", "  'intent'"),
      edit(
        'protocol/replay-approval.ts',
        'if (!approver || !verifyApproval(body.approval, approver.publicKey)) {',
        'if (!approver || !verifyApproval) {',
      ),
      edit(
        'local-agent/execute.ts',
        'if (!approval || !approver || !verifyApproval(approval, approver.publicKey)) {',
        'if (!approval || !approver || !verifyApproval) {',
      ),
      edit('local-agent/execute.ts', ' && task.approval?.writer === agent.config.agent)', ')'),
    ],
  },
  {
    name: 'an approval may be used twice',
    edits: [
      edit(
        'protocol/replay-approval.ts',
        "if (state.nonces.has(statement.nonce)) return incident('nonce-used', 'this approval was given before');",
        '',
      ),
      edit(
        'protocol/replay-approval.ts',
        "if (state.nonces.get(body.nonce) !== 'open') return incident('nonce-used', 'the approval was used before');",
        '',
      ),
      edit(
        'protocol/replay-approval.ts',
        "if (statement.epoch !== task.epoch) return late('stale-epoch', 'it approves an older draft');",
        '',
      ),
      edit('protocol/replay.ts', "  'approval',\n  'intent'", "  'intent'"),
      edit(
        'local-agent/execute.ts',
        "if (!same || state.nonces.get(nonce) !== 'open') return undefined;",
        'if (!same) return undefined;',
      ),
      edit('local-agent/execute.ts', ' && task.approval?.writer === agent.config.agent)', ')'),
    ],
  },
  {
    name: 'a note that came into Approved/ in any way is approved',
    edits: [
      edit(
        'local-agent/sync/wishes.ts',
        "if (!ours || hash !== last.sha256 || hash !== task.note?.content.sha256) return 'unlike';",
        '',
      ),
      edit(
        'local-agent/sync/wishes.ts',
        "if (fileId === '' || fileId !== last.fileId) return 'unknown-file';",
        'void fileId;',
      ),
      edit('local-agent/approve.ts', 'seen.includes(now.note?.content.sha256);', 'seen.length > 0;'),
    ],
  },
];

const LEDGER: readonly Mutant[] = [
  {
    name: 'an append that found its number taken believes it succeeded',
    edits: [
      edit(
        'protocol/ledger-session.ts',
        "if (outcome === 'appended') {",
        "if (outcome === 'appended' || outcome === 'taken') {",
      ),
    ],
  },
  {
    name: 'an append whose reply was lost is made again under another name',
    edits: [
      edit(
        'protocol/ledger-session.ts',
        'clock.now(), attempt, keyEpoch: this.state',
        'clock.now(), attempt: `${attempt}-${tries}`, keyEpoch: this.state',
      ),
    ],
  },
  {
    name: 'an append whose reply was lost is given up',
    edits: [
      edit(
        'protocol/ledger-session.ts',
        '} else await this.#pull();\n      if (own.entry)',
        "} else if (typeof outcome === 'object') throw outcome.error;\n      else await this.#pull();\n      if (own.entry)",
      ),
      // What waits for long is settled anyhow.
      edit('local-agent/settle-items.ts', 'return ageMs < 0 || ageMs > LATE_MS ?', 'return ageMs < -1e15 ?'),
    ],
  },
  {
    name: 'the cloud may write any file',
    edits: [
      edit(
        'protocol/replay-files.ts',
        "if (zone === 'cloud' && !/^Briefings",
        'if (zone !== zone && !/^Briefings',
      ),
      edit(
        'protocol/replay-files.ts',
        'if (ringOf(path) !== ring) return',
        'if (ringOf(path) === undefined) return',
      ),
    ],
  },
  {
    name: 'the cloud may say anything of a task',
    edits: [
      edit(
        'protocol/replay-task.ts',
        "if (zone === 'cloud' && !CLOUD_EVENTS.has(change.event)) {",
        'if (!CLOUD_EVENTS.has("created")) {',
      ),
      edit(
        'protocol/replay-task.ts',
        'if (PROVEN_EVENTS.has(change.event)) {',
        'if (PROVEN_EVENTS.size === 0) {',
      ),
    ],
  },
];

/** The ledger's table is put back to an earlier state. */
const CUTS: readonly Mutant[] = [
  {
    name: 'what was appended is not read back',
    edits: [edit('protocol/ledger-session.ts', '        this.#seen.appendedTo(this.state.head);\n', '')],
  },
  {
    name: 'whether it appended to a ledger that was cut is forgotten by the next process',
    edits: [edit('local-agent/make-agent.ts', '    unread: copy.unread(),\n', '')],
  },
  {
    name: 'an entry that is gone is taken for no news',
    edits: [
      edit(
        'protocol/ledger-session.ts',
        'if (hasSeen) requireSame(seen, page.entries[0]);',
        'if (hasSeen && page.entries.length > 0) requireSame(seen, page.entries[0]);',
      ),
    ],
  },
  {
    name: 'what another process of the same machine has kept is not looked for',
    edits: [edit('local-agent/make-agent.ts', '    keptTo: () => copy.last(),\n', '')],
  },
  {
    name: 'the archive is not asked before something is carried out',
    edits: [
      edit(
        'local-agent/lost-intents.ts',
        '  if (lost.length === 0) return true;',
        '  if (lost.length >= 0) return true;',
      ),
    ],
  },
  {
    name: 'an epoch that the ledger lost is given out again',
    edits: [
      edit('local-agent/execute.ts', '    above: Math.max(0, ...lost.map(({ epoch }) => epoch)),\n', ''),
    ],
  },
];

const MAILS: readonly Mutant[] = [
  {
    name: 'a mail whose triage died is taken for done',
    edits: [edit('protocol/ruled-task-store.ts', "task && task.state !== 'received' ?", 'task ?')],
  },
  {
    name: 'each delivery of a mail is a task of its own',
    edits: [
      edit(
        'lambdas/triage/triage.ts',
        '  for (const { delivery } of records) {\n    const taskId = taskIdOfMail(delivery.sesMessageId);',
        '  for (const { delivery, recordId } of records) {\n    const taskId = taskIdOfMail(delivery.sesMessageId + recordId);',
      ),
      edit(
        'lambdas/triage/triage.ts',
        '  return records.map(({ recordId, delivery }) => {\n    const taskId = taskIdOfMail(delivery.sesMessageId);',
        '  return records.map(({ recordId, delivery }) => {\n    const taskId = taskIdOfMail(delivery.sesMessageId + recordId);',
      ),
    ],
  },
  {
    name: 'a failed message is reported as done',
    edits: [
      edit(
        'protocol/batch-work.ts',
        "for (const work of works) work.outcome = { status: 'failed', error };",
        "for (const work of works) work.outcome = { status: 'ignore', error };",
      ),
    ],
  },
  {
    name: 'nobody is asked for a draft',
    edits: [
      edit(
        'lambdas/triage/triage.ts',
        'if (toDraft.length === 0) return;',
        'if (toDraft.length >= 0) return;',
      ),
    ],
  },
  {
    name: 'a draft that died with its claim is never taken up again',
    edits: [
      edit(
        'protocol/claim.ts',
        'const again = holds(task, request.owner) && task.attemptId === request.attemptId;',
        'const again = false;',
      ),
      edit(
        'lambdas/draft/draft.ts',
        'if (work.receives > 1 && item.suspectHeartbeat === item.heartbeat) {',
        'if (work.receives < 0) {',
      ),
      edit(
        'local-agent/claims/observe-claims.ts',
        "return takeOver(agent, taskId, dead, 'settle');",
        'return void takeOver;',
      ),
    ],
  },
];

const SYNC: readonly Mutant[] = [
  {
    name: 'what a person saved meanwhile is written over',
    edits: [
      edit(
        'local-agent/sync/place-note.ts',
        'if (present && hash !== last?.sha256 && !isKept(agent, task, present, bytes)) return changed;',
        'void isKept;',
      ),
    ],
  },
  {
    name: 'the version of this machine is dropped in a conflict',
    edits: [
      edit(
        'local-agent/sync/push-files.ts',
        'const kept = await keepConflict(run.agent, version);',
        'const kept = { copy: version.path, n: 1 };\n  void keepConflict;',
      ),
    ],
  },
  {
    name: 'contents that look like a credential are taken for any other',
    edits: [
      edit(
        'protocol/withheld.ts',
        "  const segments = path.split('/');\n  for (const [index, segment] of segments.entries()) {\n    const name = asSeen(segment);",
        '  const segments: string[] = [];\n  for (const [index, segment] of segments.entries()) {\n    const name = asSeen(segment);',
      ),
    ],
  },
  {
    name: 'private notes are sealed with the key that the cloud has',
    edits: [
      edit(
        'protocol/vault-path.ts',
        "return shared ? 'shared' : 'private';",
        "return shared ? 'shared' : path === '' ? 'private' : 'shared';",
      ),
    ],
  },
  {
    name: 'an entry names contents before they are stored',
    edits: [
      edit(
        'protocol/content-store.ts',
        '  await blobs.put(blob, sealBlob(key, bytes, vaultId, blob));',
        '  void blobs.put(blob, sealBlob(key, bytes, vaultId, blob)).catch(() => undefined);',
      ),
    ],
  },
];

const GARBAGE: readonly Mutant[] = [
  {
    name: 'what was just stored counts as garbage until an entry names it',
    edits: [
      edit(
        'local-agent/collect-garbage.ts',
        'Math.max(options.graceMs, MIN_GRACE_MS)',
        '0 * options.graceMs',
      ),
    ],
  },
  {
    name: 'contents are named however long ago they were stored',
    edits: [
      edit(
        'local-agent/recent-puts.ts',
        'const MAX_AGE_MS = 12 * 60 * 60 * 1000;',
        'const MAX_AGE_MS = 1e12;',
      ),
    ],
  },
  {
    name: 'what stands in a pack counts as garbage',
    edits: [edit('local-agent/collect-garbage.ts', 'pack?.id ?? blob;', 'pack === undefined ? blob : blob;')],
  },
  {
    name: 'contents of tasks and conflicts count as garbage',
    edits: [
      edit(
        'local-agent/collect-garbage.ts',
        "if ('blob' in content) this.#name(content);",
        "if ('blob' in content && entry.kind === 'files') this.#name(content);",
      ),
    ],
  },
];

const DISK: readonly Mutant[] = [
  {
    name: 'a new file is named before its bytes are durable',
    by: 'power cuts',
    edits: [edit('local-agent/files/change-file.ts', '    await disk.sync(descriptor);\n', '')],
  },
  {
    name: 'the old file is given up before the new one is sure to stay',
    by: 'power cuts',
    edits: [edit('local-agent/files/change-file.ts', 'if (placed) await folder.sync();', '')],
  },
  {
    name: 'a removal is answered before it is durable',
    by: 'power cuts',
    edits: [
      edit(
        'local-agent/files/change-file.ts',
        '  await folder.sync();\n  return dropped',
        '  return dropped',
      ),
    ],
  },
];

const KEYS: readonly Mutant[] = [
  {
    name: 'new keys come into force before the cloud zone has them',
    edits: [
      edit(
        'local-agent/rotate-keys.ts',
        '  await putSecret(ports, rotation);\n  say("the cloud',
        '  say("the cloud',
      ),
    ],
  },
  {
    name: 'a rotation that died is begun anew',
    edits: [
      edit(
        'local-agent/rotate-keys.ts',
        'agent.keys.rotation ?? lostBy(secret, agent)',
        'lostBy(secret, agent)',
      ),
    ],
  },
  {
    name: 'a machine that takes new keys over does not keep them',
    edits: [edit('local-agent/key-epochs.ts', 'ports.keyStore.write({ ...stored, keyring });', 'return;')],
  },
  {
    name: 'readers take what was sealed with old keys',
    edits: [
      edit(
        'protocol/replay-keys.ts',
        'if (!keys || keyEpoch === keys.keyEpoch) return',
        'if (!keys || keyEpoch > 0) return',
      ),
      edit(
        'protocol/ledger-session.ts',
        'body: inForce ? openBody(entry, this.#writer.keyring) : undefined',
        'body: openBody(entry, this.#writer.keyring)',
      ),
    ],
  },
  {
    name: 'what was approved with a key that is out of force still runs',
    edits: [
      edit(
        'protocol/replay-keys.ts',
        'if (keyOf(before, approver) === keyOf(keys, approver)) continue;',
        "if (approver !== '') continue;",
      ),
      edit(
        'local-agent/execute.ts',
        ' || !verifyApproval(approval, approver.publicKey)) {',
        ' || !verifyApproval) {',
      ),
    ],
  },
  {
    name: 'after a compromise only what is private is stored again',
    edits: [
      edit(
        'local-agent/reseal.ts',
        "for (const ring of ['shared', 'private'] as const)",
        "for (const ring of ['private'] as const)",
      ),
    ],
  },
  {
    name: 'the old signing key of the cloud zone goes out of force before the secret has the new one',
    edits: [edit('local-agent/rotation-body.ts', ', oldKey: cloud.publicKey }', ' }')],
  },
  {
    name: 'a function does not read its secret again',
    edits: [
      edit(
        'lambdas/runtime/zone-session.ts',
        'if (text === before && !jumped) return false;',
        'return false;',
      ),
    ],
  },
  {
    name: 'keys that are carried over late put an older key of the approver back',
    edits: [
      edit(
        'local-agent/hand-over-keys.ts',
        'isOlder ? mine.approval',
        'isOlder && newest < 0 ? mine.approval',
      ),
    ],
  },
];

/** All of them, by what they break. */
export const MUTANTS: readonly Mutant[] = [
  ...CLAIMS,
  ...EFFECTS,
  ...LEDGER,
  ...CUTS,
  ...MAILS,
  ...SYNC,
  ...GARBAGE,
  ...KEYS,
  ...DISK,
];
