import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryDir } from '#infra/paths.ts';
import { createTransport } from 'nodemailer';
import { addressOnly, headerOf, headersOf } from './mail-headers.ts';
import { readRunning } from './running-file.ts';

const HELP = `npm run mail -- FILE.eml ... [OPTIONS]: send mail files to the running local cloud over SMTP, byte for byte
(but that lines end with CRLF, as SMTP demands), one after another; none if one of them is no mail

  --to ADDR      envelope recipient (default: the assistant)
  --from ADDR    envelope sender (default: the file's Return-Path, or its From; "<>" for none)
  --port PORT    SMTP port (default: that of the running local cloud)
  --dir DIR      folder of the local cloud (default: .local-cloud)
  --help         this

  npm run mail -- examples/mail/question.eml
  npm run mail -- examples/mail/*.eml
  npm run mail -- my.eml --to assistant@example.com --from alice@example.org
`;

/** The mail cannot be sent; the message says why. `exitCode` 2 is wrong usage, 1 anything else. */
class CannotSend extends Error {
  static readonly code = 'CANNOT_SEND';
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values, positionals } = readArguments();
    if (values.help === true) {
      process.stdout.write(HELP);
      return 0;
    }
    if (positionals.length === 0) {
      throw new CannotSend(`name a mail file, as in: npm run mail -- examples/mail/question.eml`, 2);
    }
    const mails = positionals.map((file) => ({ file, raw: readMail(file) }));
    const running = readRunning(resolve(repositoryDir, values.dir ?? '.local-cloud'));
    const port = portOf(values.port, running?.smtp);
    const to = envelopeAddress('--to', values.to ?? running?.recipient);
    for (const { file, raw } of mails) {
      const from = values.from === undefined ? senderOf(file, raw) : envelopeAddress('--from', values.from);
      const response = await send(port, from, to, raw);
      process.stdout.write(`sent  ${file}  ${from || '<>'} → ${to}  (${raw.length} bytes; ${response})\n`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof CannotSend)) throw error;
    process.stderr.write(`not sent: ${error.message}\n`);
    return error.exitCode;
  }
}

function readArguments(): {
  values: { help?: boolean; to?: string; from?: string; port?: string; dir?: string };
  positionals: string[];
} {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        to: { type: 'string' },
        from: { type: 'string' },
        port: { type: 'string' },
        dir: { type: 'string' },
      },
    });
  } catch (error) {
    throw new CannotSend(`${error instanceof Error ? error.message : String(error)} (--help shows how)`, 2);
  }
}

function readMail(file: string): Buffer {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new CannotSend(`there is no file ${file}`);
  if (!found.isFile()) throw new CannotSend(`${file} is no file`);
  const raw = readFileSync(file);
  if (raw.length === 0) throw new CannotSend(`${file} is empty`);
  // A damaged mail is sent as it is: to see what becomes of one is a reason to send it.
  if (headersOf(raw.subarray(0, 64 * 1024)).length === 0) {
    throw new CannotSend(`${file} is no mail: it does not begin with header lines such as "From: ..."`);
  }
  return raw;
}

function senderOf(file: string, raw: Buffer): string {
  const headers = headersOf(raw);
  const returnPath = headerOf(headers, 'Return-Path');
  if (returnPath !== undefined) return addressOnly(returnPath) ?? '';
  const from = headerOf(headers, 'From');
  const sender = from === undefined ? undefined : addressOnly(from);
  if (sender === undefined) throw new CannotSend(`${file} names no sender; give one with --from ADDR`);
  return sender;
}

function envelopeAddress(option: string, given: string | undefined): string {
  if (given === undefined) throw new CannotSend(`${option} is missing`, 2);
  if (given === '<>' || given === '') {
    if (option === '--from') return '';
    throw new CannotSend('--to needs an address', 2);
  }
  const address = addressOnly(given);
  if (address === undefined) throw new CannotSend(`${option}: "${given}" is no mail address`, 2);
  return address;
}

function portOf(given: string | undefined, smtp: string | undefined): number {
  if (given !== undefined) {
    if (/^\d{1,5}$/.test(given) && Number(given) > 0 && Number(given) < 65_536) return Number(given);
    throw new CannotSend(`--port: "${given}" is no port`, 2);
  }
  if (smtp === undefined) throw new CannotSend('no local cloud is running here; start one with: npm start');
  return Number(smtp.split(':').at(-1));
}

async function send(port: number, from: string, to: string, raw: Buffer): Promise<string> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, disableFileAccess: true });
  try {
    const { response } = await transport.sendMail({ envelope: { from, to }, raw });
    return response;
  } catch (error) {
    throw new CannotSend(explained(error, port));
  } finally {
    transport.close();
  }
}

function explained(error: unknown, port: number): string {
  const { code, responseCode, response } = { code: '', responseCode: 0, response: '', ...(error as object) };
  if (code === 'ECONNECTION' || code === 'ESOCKET') {
    return `nothing answers on port ${port}; start the local cloud with: npm start`;
  }
  if (responseCode === 550) return `the local cloud does not receive for this address (${response})`;
  if (responseCode === 552 || code === 'EMESSAGE')
    return `the mail is too large: SES takes up to 40 MB (${response})`;
  return response || (error instanceof Error ? error.message : String(error));
}
