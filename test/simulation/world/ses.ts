import { Host } from '../kernel/process.ts';
import { deliveryOf, rawMail } from './mails.ts';
import type { World } from './world.ts';

/** Lets SES accept the plan's mails: each is stored and announced, in whatever order, once or more. */
export function beginMails({ kernel, cloud, plan }: World): void {
  const { scheduler, trace } = kernel;
  const clock = new Host('ses').clock(scheduler);
  for (const mail of plan.mails) {
    scheduler.at(mail.atMs, () => {
      trace.note(scheduler.nowMs, mail.id, `accepted: ${mail.kind}`);
      const delivery = deliveryOf(mail, clock.now());
      scheduler.in(mail.lateMs, () => cloud.mails.store(delivery.raw, rawMail(mail)));
      for (const echoMs of [0, ...mail.echoesMs]) cloud.inbound.put(delivery, echoMs);
    });
  }
}
