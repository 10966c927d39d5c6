import { PutObjectCommand } from '@aws-sdk/client-s3';
import PostalMime from 'postal-mime';
import { createClients } from '#adapters/aws-clients.ts';
import { parseMail } from '#adapters/parse-mail.ts';
import { ParsedMail } from '#protocol/mail.ts';
import type { Delivery } from '#protocol/mail.ts';
import type { Benchmark } from './benchmark.ts';
import { replay, tapeCalls } from './call-tape.ts';
import type { ReplayTarget, TapedCall } from './call-tape.ts';
import { createCloudZone } from './cloud-zone.ts';
import { startRemoteEmulators } from './emulators.ts';
import { figureOf } from './figure.ts';
import { cpuMs, sideBySide } from './measure.ts';
import { readSampleMail } from './sample-mail.ts';

const MAILS_A_ROUND = 60;

/** What a mail costs the functions in CPU, from its notification to the approval request. */
export const cpuMail: Benchmark = {
  name: 'cpu-mail',
  about: 'CPU of a mail in triage and draft, beside parsing, validating and the same bare SDK calls',
  async *run({ rounds }) {
    const emulators = await startRemoteEmulators();
    const clients = createClients(emulators.options);
    const bareClients = createClients(emulators.options);
    const tape: TapedCall[] = [];
    const sample = await readSampleMail();
    const anywhere = Uint8Array.from(sample.raw('any')).buffer;
    const parsed = await parseMail(anywhere);
    const target = { clients: bareClients, queueUrl: emulators.anchorQueueUrl };
    try {
      tapeCalls(clients, tape);
      const zone = await createCloudZone(clients, emulators.queueUrl);
      try {
        for (const batch of [1, 10]) {
          const measured = await sideBySide(
            rounds,
            async (round) => {
              const ids = Array.from({ length: MAILS_A_ROUND }, (_, i) => `cpu-${batch}-${round}-${i}`);
              for (const id of ids) {
                const object = { Bucket: 'inbound', Key: `inbound/${id}`, Body: sample.raw(id) };
                await bareClients.s3.send(new PutObjectCommand(object));
              }
              return cpuMs(async () => {
                for (let at = 0; at < ids.length; at += batch) {
                  await zone.handle(ids.slice(at, at + batch).map((id) => deliveryOf(id, sample.from)));
                }
              });
            },
            async () => {
              const calls = tape.splice(0);
              return cpuMs(() => replayAll(calls, target, parsed));
            },
          );
          const each = { value: measured.value / MAILS_A_ROUND, anchor: measured.anchor / MAILS_A_ROUND };
          const name = batch === 1 ? 'cpu-mail/alone-ms' : 'cpu-mail/in-tens-ms';
          yield figureOf(name, each, { of: 'ratio', is: '<=', limit: 1.25 });
        }
      } finally {
        await zone.close();
      }
    } finally {
      clients.destroy();
      bareClients.destroy();
      await emulators.close();
    }
  },
};

/** The calls of one kind in a row belong to one batch and are made at once, as our code makes them. */
async function replayAll(
  calls: readonly TapedCall[],
  target: ReplayTarget,
  parsed: ParsedMail,
): Promise<void> {
  for (let at = 0; at < calls.length;) {
    const command = calls[at]?.command;
    const other = calls.findIndex((call, index) => index > at && call.command !== command);
    const end = other < 0 ? calls.length : other;
    await Promise.all(calls.slice(at, end).map((call) => bareStep(call, target, parsed)));
    at = end;
  }
}

async function bareStep(call: TapedCall, target: ReplayTarget, parsed: ParsedMail): Promise<void> {
  const raw = await replay(call, target);
  if (!raw) return;
  await PostalMime.parse(raw);
  ParsedMail.parse(parsed);
}

function deliveryOf(sesMessageId: string, envelopeFrom: string): Delivery {
  return {
    sesMessageId,
    receivedAt: '2026-11-21T08:00:00.000Z',
    envelopeFrom,
    envelopeTo: ['assistant@example.com'],
    authentication: { spf: 'PASS', dkim: 'PASS', dmarc: 'PASS', spam: 'PASS', virus: 'PASS' },
    raw: { bucket: 'inbound', key: `inbound/${sesMessageId}` },
  };
}
