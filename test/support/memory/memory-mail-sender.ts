import type { MailSender } from '#protocol/ports.ts';

type Mail = Parameters<MailSender['send']>[0];

/** A mail service in memory. */
export interface MemoryMailSender extends MailSender {
  readonly sent: (Mail & { readonly messageId: string })[];
}

/** Makes a sender that keeps what it is given. */
export function createMemoryMailSender(): MemoryMailSender {
  const sent: MemoryMailSender['sent'] = [];
  return {
    sent,
    send: async (mail) => {
      const messageId = `memory-${sent.length + 1}`;
      sent.push({ ...mail, raw: Uint8Array.from(mail.raw), messageId });
      return { messageId };
    },
  };
}
