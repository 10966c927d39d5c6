import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { repositoryDir } from '#infra/paths.ts';

/** A mail that asks something, under any subject and message id: `examples/mail/question.eml`, without its trace. */
export interface SampleMail {
  readonly from: string;
  readonly to: string;
  /** `id` becomes its message id and its subject, so that each is a mail, a task and a note of its own. */
  raw(id: string): Buffer;
}

/** Reads the sample. @throws when it has not the headers that are replaced. */
export async function readSampleMail(): Promise<SampleMail> {
  const file = path.join(repositoryDir, 'examples/mail/question.eml');
  const text = (await readFile(file, 'latin1')).replace(/^Return-Path:.*\r\n/, '');
  const [messageId, subject] = [/^Message-ID: <.*>/m, /^Subject: .*/m];
  if (!messageId.test(text) || !subject.test(text))
    throw new Error(`${file} is not the mail that is expected`);
  return {
    from: 'maya@lindenworks.example',
    to: 'assistant@example.com',
    raw: (id) => {
      const made = text.replace(messageId, `Message-ID: <${id}@lindenworks.example>`);
      return Buffer.from(
        made.replace(subject, `Subject: ${id}: two places in the December weekend?`),
        'latin1',
      );
    },
  };
}
