import { createTransport } from 'nodemailer';
import { syncVault } from '#local-agent/sync/sync.ts';
import { createFlowWorld } from '#test/support/flow-world.ts';
import type { FlowWorld } from '#test/support/flow-world.ts';
import type { Benchmark } from './benchmark.ts';
import { startDaemon } from './daemon.ts';
import { figureOf } from './figure.ts';
import type { Figure } from './figure.ts';
import { quantile } from './measure.ts';
import { readSampleMail } from './sample-mail.ts';
import type { SampleMail } from './sample-mail.ts';
import { watchDrafts } from './vault-watch.ts';
import type { VaultWatch } from './vault-watch.ts';

const MAILS_A_SECOND = 10;
const MAX_CONNECTIONS = 8;
const RSS_EVERY_MS = 50;
/** The emulators keep everything in memory, which takes about 40 KB a mail; whatever else grows, leaks. */
const RSS_GROWTH_LIMIT_KB = 64;
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 20;

/** How soon a mail is a draft in the vault, and whether a burst loses or doubles any. */
export const latencyMail: Benchmark = {
  name: 'latency-mail',
  about: 'from SMTP accepted to the draft in the vault at 10 mails a second; then two bursts',
  async *run({ seconds, burst }, log) {
    const world = await createFlowWorld();
    try {
      const daemon = await startDaemon(world);
      const watched = watchDrafts(world.vault);
      const mails = await openSender(world);
      try {
        log('warming up');
        await arrive(watched, await mails.sendSteadily('warm', 2 * MAILS_A_SECOND));
        log(`${seconds} s of ${MAILS_A_SECOND} mails a second`);
        const accepted = await mails.sendSteadily('steady', seconds * MAILS_A_SECOND);
        await arrive(watched, accepted);
        yield* latencies(watched, accepted);
        yield* await bursts(world, watched, mails, burst, log);
      } finally {
        mails.close();
        watched.close();
        await daemon.stop();
      }
    } finally {
      await world.close();
    }
  },
};

function* latencies(watched: VaultWatch, accepted: Accepted): Generator<Figure> {
  const tookMs = [...accepted].map(([id, atMs]) => (watched.seenAtMs.get(id) ?? Number.NaN) - atMs);
  const p50 = { value: quantile(tookMs, 0.5) };
  const p99 = { value: quantile(tookMs, 0.99) };
  yield figureOf('latency-mail/vault-p50-ms', p50, { of: 'value', is: '<=', limit: 1000 });
  yield figureOf('latency-mail/vault-p99-ms', p99, { of: 'value', is: '<=', limit: 3000 });
}

/** Two bursts of one size: what the second one needs more than the first is memory that is kept for good. */
async function bursts(
  world: FlowWorld,
  watched: VaultWatch,
  mails: Sender,
  size: number,
  log: (line: string) => void,
): Promise<Figure[]> {
  const peaksMb: number[] = [];
  const sent = new Set<string>();
  for (const name of ['first', 'second']) {
    const startedMs = performance.now();
    const peakMb = watchRss();
    const accepted = await mails.sendAtOnce(name, size);
    const takenMs = performance.now() - startedMs;
    await world.cloud.settle();
    const draftedMs = performance.now() - startedMs;
    await arrive(watched, accepted);
    peaksMb.push(peakMb());
    for (const id of accepted.keys()) sent.add(id);
    const [taken, drafted, there] = [takenMs, draftedMs, performance.now() - startedMs].map((ms) =>
      (ms / 1000).toFixed(1),
    );
    log(
      `${name} burst of ${size}: accepted in ${taken} s, drafted in ${drafted} s, in the vault in ${there} s`,
    );
  }
  const { lost, doubled } = await audit(world, watched, sent);
  const [first = 0, second = 0] = peaksMb;
  return [
    figureOf('latency-mail/burst-lost', { value: lost }, { of: 'value', is: '<=', limit: 0 }),
    figureOf('latency-mail/burst-doubled', { value: doubled }, { of: 'value', is: '<=', limit: 0 }),
    figureOf(
      'latency-mail/burst-rss-growth-kb-a-mail',
      { value: ((second - first) * 1000) / size },
      { of: 'value', is: '<=', limit: RSS_GROWTH_LIMIT_KB },
    ),
  ];
}

/** Asks ledger and vault: one task that waits for approval and one note for each mail. */
async function audit(
  world: FlowWorld,
  watched: VaultWatch,
  sent: ReadonlySet<string>,
): Promise<{ readonly lost: number; readonly doubled: number }> {
  const tasks = new Map<string, number>();
  await world.withAgent(async (agent) => {
    await syncVault(agent);
    for (const { mail, state } of agent.session.state.tasks.values()) {
      const id = mail?.subject.split(':', 1)[0] ?? '';
      if (state === 'pending_approval') tasks.set(id, (tasks.get(id) ?? 0) + 1);
    }
  });
  const notes = await watched.count();
  const counts = [...sent].map((id) => [tasks.get(id) ?? 0, notes.get(id) ?? 0]);
  return {
    lost: counts.filter((both) => both.includes(0)).length,
    doubled: counts.filter((both) => both.some((count) => count > 1)).length,
  };
}

/** When SMTP accepted each mail, in ms of `performance.now()`. */
type Accepted = ReadonlyMap<string, number>;

interface Sender {
  sendSteadily(name: string, count: number): Promise<Accepted>;
  sendAtOnce(name: string, count: number): Promise<Accepted>;
  close(): void;
}

async function openSender({ cloud }: FlowWorld): Promise<Sender> {
  const sample: SampleMail = await readSampleMail();
  const port = Number(cloud.smtp.split(':')[1]);
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    secure: false,
    ignoreTLS: true,
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    maxMessages: Number.POSITIVE_INFINITY,
  });
  const send = async (id: string): Promise<readonly [string, number]> => {
    await transport.sendMail({ envelope: { from: sample.from, to: [sample.to] }, raw: sample.raw(id) });
    return [id, performance.now()];
  };
  return {
    sendSteadily: async (name, count) => {
      const startedMs = performance.now();
      const sending: Promise<readonly [string, number]>[] = [];
      for (let i = 0; i < count; i++) {
        // By the clock and not by the mail before, so that a slow answer does not lower the rate.
        const dueMs = startedMs + (i * 1000) / MAILS_A_SECOND;
        await pause(Math.max(0, dueMs - performance.now()));
        sending.push(send(`${name}-${i}`));
      }
      return new Map(await Promise.all(sending));
    },
    sendAtOnce: async (name, count) =>
      new Map(await Promise.all(Array.from({ length: count }, (_, i) => send(`${name}-${i}`)))),
    close: () => transport.close(),
  };
}

/** Waits until each mail has its note. @throws when some have none for two minutes. */
async function arrive(watched: VaultWatch, accepted: Accepted): Promise<void> {
  const lastMs = performance.now() + PATIENCE_MS;
  const missing = (): string[] => [...accepted.keys()].filter((id) => !watched.seenAtMs.has(id));
  while (missing().length > 0) {
    if (performance.now() > lastMs) {
      throw new Error(`${missing().length} mails have no draft in the vault, such as ${missing()[0]}`);
    }
    await pause(LOOK_EVERY_MS);
  }
}

/** Samples this process, in which cloud and functions run. @returns what ends it and answers the peak in MB */
function watchRss(): () => number {
  let peakBytes = 0;
  const look = (): void => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  };
  const timer = setInterval(look, RSS_EVERY_MS);
  return () => {
    clearInterval(timer);
    look();
    return peakBytes / 1_000_000;
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
