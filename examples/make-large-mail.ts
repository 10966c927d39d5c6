/**
 * Writes the sample mail with a large attachment.
 *
 *     npx node examples/make-large-mail.ts FILE [ATTACHMENT_BYTES] [SEED]
 */
import { LARGE_MAIL, writeLargeMail } from '#test/support/large-mail.ts';

const [path, size = String(LARGE_MAIL.attachmentBytes), seed] = process.argv.slice(2);
const attachmentBytes = Number(size);
if (
  path === undefined ||
  path.startsWith('-') ||
  !Number.isSafeInteger(attachmentBytes) ||
  attachmentBytes < 44
) {
  console.error('usage: node examples/make-large-mail.ts FILE [ATTACHMENT_BYTES, at least 44] [SEED]');
  process.exit(2);
}
try {
  const { sizeBytes } = await writeLargeMail(path, attachmentBytes, seed);
  console.log(`${path}: ${sizeBytes} bytes, attachment ${attachmentBytes} bytes`);
} catch (error) {
  console.error(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
