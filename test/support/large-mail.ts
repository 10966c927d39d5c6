import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';

/** The size of the large sample mail, and where it has to end: the same fields as in `examples/mail/expected.json`. */
export const LARGE_MAIL = {
  attachmentBytes: 15_000_000,
  expected: {
    file: 'large-attachment.eml',
    about: 'A recording of 15 MB, twenty as Base64; made on demand.',
    envelopeFrom: 'juno@recordings.example',
    envelopeTo: ['assistant@example.com'],
    verdict: 'respond',
    reason: 'question',
    state: 'pending_approval',
    folder: 'Pending_Approval',
    draftTo: ['juno@recordings.example'],
    subject: 'Re: Recording of our talk',
    template: 'documents-received',
    warnings: [],
    parsed: {
      from: 'juno@recordings.example',
      name: 'Juno Ashcombe',
      subject: 'Recording of our talk',
      messageId: '<8d2f4c1b-talk@recordings.example>',
      attachments: ['Talk 18 November.wav'],
    },
  },
} as const;

/** What was written: the whole file's size, and the digest of the attachment before Base64. */
export interface LargeMail {
  readonly sizeBytes: number;
  readonly attachmentSha256: string;
}

/** One block of Base64: whole lines of 57 bytes, so that no line is broken between two writes. */
const BLOCK_BYTES = 57 * 16_384;
const WAV_HEADER_BYTES = 44;

/**
 * Writes a mail with one large attachment: a WAV file of noise, which no compression makes small. Memory stays at
 * about two megabytes however large it is.
 *
 * @param path replaced if it exists
 * @param attachmentBytes at least 44, the header of a WAV file; the mail is about 4/3 of it plus line ends
 * @param seed the same seed and size give the same bytes
 * @throws {RangeError} when `attachmentBytes` is less than 44 or no whole number
 */
export async function writeLargeMail(
  path: string,
  attachmentBytes: number,
  seed = 'talk',
): Promise<LargeMail> {
  if (!Number.isSafeInteger(attachmentBytes) || attachmentBytes < WAV_HEADER_BYTES) {
    throw new RangeError(`attachmentBytes must be a whole number of at least ${WAV_HEADER_BYTES}`);
  }
  const file = await open(path, 'w');
  try {
    const hash = createHash('sha256');
    let sizeBytes = await write(file, HEAD);
    sizeBytes += await writeAttachment(file, attachmentBytes, seed, hash);
    sizeBytes += await write(file, TAIL);
    return { sizeBytes, attachmentSha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

async function writeAttachment(
  file: FileHandle,
  attachmentBytes: number,
  seed: string,
  hash: Hash,
): Promise<number> {
  // A key stream is noise that depends on nothing but the seed.
  const noise = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  let sizeBytes = 0;
  for (let at = 0; at < attachmentBytes; at += BLOCK_BYTES) {
    const block = noise.update(Buffer.alloc(Math.min(BLOCK_BYTES, attachmentBytes - at)));
    if (at === 0) wavHeader(attachmentBytes).copy(block);
    hash.update(block);
    sizeBytes += await write(file, block.toString('base64').replace(/.{1,76}/g, '$&\r\n'));
  }
  return sizeBytes;
}

async function write(file: FileHandle, text: string): Promise<number> {
  await file.writeFile(text, 'latin1');
  return text.length;
}

/** RIFF/WAVE, PCM, one channel, 8 bit, 16 kHz: any number of bytes is a whole number of samples. */
function wavHeader(fileBytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE((fileBytes - 8) % 2 ** 32, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(16_000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE((fileBytes - WAV_HEADER_BYTES) % 2 ** 32, 40);
  return header;
}

const BOUNDARY = 'Apple-Mail=_7C4E19A2-5B0D-4F6A-9E83-2D1F0B7A6C55';

const HEAD = `Return-Path: <juno@recordings.example>
Received: from smtpclient.recordings.example (unknown [203.0.113.61])
	by mail.recordings.example (Postfix) with ESMTPSA id 6A2F91C3B0
	for <assistant@example.com>; Fri, 20 Nov 2026 14:02:51 +0000 (UTC)
From: Juno Ashcombe <juno@recordings.example>
Content-Type: multipart/mixed;
	boundary="${BOUNDARY}"
Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3864.100.1\\))
Subject: Recording of our talk
Message-Id: <8d2f4c1b-talk@recordings.example>
Date: Fri, 20 Nov 2026 15:02:33 +0100
To: assistant@example.com
X-Mailer: Apple Mail (2.3864.100.1)


--${BOUNDARY}
Content-Transfer-Encoding: 7bit
Content-Type: text/plain;
	charset=us-ascii

Hello Robin,

the recording of our talk is attached, sorry for the size. Is the sound good
enough for you to use it on your page?

Juno


--${BOUNDARY}
Content-Disposition: attachment;
	filename="Talk 18 November.wav"
Content-Type: audio/wav;
	name="Talk 18 November.wav"
Content-Transfer-Encoding: base64

`.replaceAll('\n', '\r\n');

const TAIL = `
--${BOUNDARY}--
`.replaceAll('\n', '\r\n');
