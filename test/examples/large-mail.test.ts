import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerSubject } from '#protocol/mail.ts';
import { ExpectedMail } from '#test/support/example-mails.ts';
import { LARGE_MAIL, writeLargeMail } from '#test/support/large-mail.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'large-mail-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the large mail', () => {
  it.each([44, 57, 933_888, 933_889, 2_000_000])(
    'carries an attachment of exactly %i bytes',
    async (bytes) => {
      const file = path.join(folder, `${bytes}.eml`);
      const { sizeBytes, attachmentSha256 } = await writeLargeMail(file, bytes);
      const raw = await readFile(file);
      expect(raw.length).toBe(sizeBytes);

      const { parsed } = LARGE_MAIL.expected;
      const mail = await PostalMime.parse(raw);
      expect([mail.from?.address, mail.subject, mail.messageId]).toEqual([
        parsed.from,
        parsed.subject,
        parsed.messageId,
      ]);
      const content = Buffer.from(mail.attachments[0]?.content as ArrayBuffer);
      expect([mail.attachments[0]?.filename, content.length]).toEqual([parsed.attachments[0], bytes]);
      expect(createHash('sha256').update(content).digest('hex')).toBe(attachmentSha256);
      expect(content.toString('latin1', 0, 16)).toMatch(/^RIFF[^]{4}WAVEfmt $/);
    },
  );

  it('has lines of at most 78 characters, ended by CRLF', async () => {
    const file = path.join(folder, 'lines.eml');
    await writeLargeMail(file, 1_000_001);
    const lines = (await readFile(file, 'latin1')).split('\r\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
    expect(lines.join('')).not.toMatch(/[\r\n]/);
  });

  it('is the same for the same seed and another for another', async () => {
    const digests = await Promise.all(
      ['a', 'a', 'b'].map((seed, index) => writeLargeMail(path.join(folder, `${index}.eml`), 5000, seed)),
    );
    const [first, same, other] = digests.map((mail) => mail.attachmentSha256);
    expect(same).toBe(first);
    expect(other).not.toBe(first);
  });

  it('stays below the 40 MB that SES takes at its usual size', async () => {
    const file = path.join(folder, 'usual.eml');
    await writeLargeMail(file, LARGE_MAIL.attachmentBytes);
    expect((await stat(file)).size).toBeGreaterThan(20_000_000);
    expect((await stat(file)).size).toBeLessThan(40_000_000);
  });

  it.each([43, -1, 100.5, Number.NaN])(
    'refuses %d bytes, too few for a WAV file or no whole number',
    async (bytes) => {
      await expect(writeLargeMail(path.join(folder, 'no.eml'), bytes)).rejects.toThrow(RangeError);
    },
  );

  it('has an expectation of the same shape as the other samples', () => {
    expect(ExpectedMail.parse(LARGE_MAIL.expected).subject).toBe(
      answerSubject(LARGE_MAIL.expected.parsed.subject),
    );
  });
});
