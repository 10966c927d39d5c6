import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { findArrival, newCanarySubject } from '../canary.ts';
import type { Arrival } from '../canary.ts';
import { ExitCode } from '../exit-codes.ts';
import type { Style } from '../output.ts';
import { visibleLine } from '../visible.ts';
import { defineCommand, withAgent } from './command.ts';

const POLL_MS = 3_000;

/** `employee canary`: whether a mail from outside comes all the way in. Sends nothing itself: a person does. */
export const canaryCommand = defineCommand({
  name: 'canary',
  summary: 'say what mail to send, and wait until it has come all the way in',
  options: [
    [
      '--subject <words>',
      'wait for a mail with these words in its subject (default: words nobody else uses)',
    ],
    ['--minutes <n>', 'how long to wait (default: 10)'],
  ],
  examples: [
    'employee canary',
    'employee canary --minutes 30',
    'employee canary --subject "canary 1" --json',
  ],
  input: z.object({
    subject: z
      .string()
      .trim()
      .min(4, 'at least four letters, so that no other mail has them')
      .max(200)
      .default(newCanarySubject),
    minutes: z.coerce.number('a number of minutes').positive('more than none').max(1440).default(10),
  }),
  async run({ subject, minutes }, context) {
    const { out } = context;
    const address = await withAgent(context, async ({ config }) => config.stack.fromAddress);
    out.log(`send a mail to ${address}, from any mailbox, with the subject`);
    out.log(`  ${subject}`);
    out.log('and leave this running; Ctrl-C ends it and leaves nothing behind');
    const startedMs = performance.now();
    const seconds = (): number => Math.round((performance.now() - startedMs) / 1000);
    for (;;) {
      const arrival = await withAgent(context, (agent) => findArrival(agent, subject));
      if (arrival) {
        out.result({ ok: true, subject, seconds: seconds(), arrival }, (style) =>
          arrivalText(arrival, seconds(), style),
        );
        return ExitCode.done;
      }
      if (performance.now() - startedMs >= minutes * 60_000) {
        out.result({ ok: false, subject, seconds: seconds() }, (style) =>
          nothingText(subject, seconds(), style),
        );
        return ExitCode.failed;
      }
      if (out.isWatched) out.progress(`waiting for "${subject}" (${seconds()} s)`);
      await delay(Math.min(POLL_MS, minutes * 60_000));
    }
  },
});

function arrivalText({ short, state, sender, why, path }: Arrival, seconds: number, style: Style): string {
  return [
    `${style.good('arrived')}  ${short}  ${state}, ${seconds} s after this began: mail comes in`,
    `sender   ${visibleLine(sender)}`,
    ...(why === undefined ? [] : [`why      ${visibleLine(why)}`]),
    ...(path === undefined
      ? []
      : [`note     ${path}`, style.dim(`when you have seen it: employee reject ${short} --reason canary`)]),
  ].join('\n');
}

function nothingText(subject: string, seconds: number, style: Style): string {
  return [
    `${style.bad('missing')}  no mail with "${visibleLine(subject)}" in its subject came within ${seconds} s. Look, in this order:`,
    '  1. Did yours bounce? The answer says what turned it away: no TLS, or an unknown recipient.',
    '  2. The MX record of the domain, and the active receipt rule set: docs/deploy.md, sections 5 and 7.',
    '  3. The dead-letter queues and the log of the function Triage: docs/deploy.md, section 8.',
  ].join('\n');
}
