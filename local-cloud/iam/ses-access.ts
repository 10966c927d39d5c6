import type { AttemptedCall } from '../call-log.ts';
import { addressesIn, addressOnly, domainOf, headerOf, headersOf } from '../mail-headers.ts';
import { onEverything, present, textOf, type AccessContext, type NeededAccess } from './needed-access.ts';

/** As much of a raw mail as is decoded to find its sender: headers are long before that. */
const HEAD_BASE64_CHARS = 256 * 1024;

/**
 * The permissions of an SES call. Sending needs them on the identity that the sender belongs to, which is its address
 * if that is verified and else its domain, and on the configuration set: the one named, or the identity's own.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
 */
export function sesAccess(call: AttemptedCall, context: AccessContext): NeededAccess[] {
  const { operation, input } = call;
  if (operation !== 'SendRawEmail' && operation !== 'SendEmail') return [onEverything(call)];
  const { region, accountId } = context;
  const from = senderOf(call);
  const keys = present({ 'ses:fromaddress': from, 'ses:recipients': recipientsOf(call) });
  const arn = (kind: string, name: string): string => `arn:aws:ses:${region}:${accountId}:${kind}/${name}`;
  const identity = identityOf(from, context);
  const set =
    textOf(input, 'ConfigurationSetName') || (context.plan.defaultConfigurationSets[identity] ?? '');
  return [arn('identity', identity), ...(set === '' ? [] : [arn('configuration-set', set)])].map(
    (resource) => ({ action: `ses:${operation}`, resource, keys }),
  );
}

function identityOf(from: string, { plan }: AccessContext): string {
  const address = from.toLowerCase();
  const verified = plan.identities.map((identity) => identity.toLowerCase());
  if (verified.includes(address)) return address;
  const domain = domainOf(address);
  return verified.find((identity) => domain === identity || domain.endsWith(`.${identity}`)) ?? domain;
}

function senderOf({ input }: AttemptedCall): string {
  const source = textOf(input, 'Source');
  const from = source || (headerOf(headersOf(headOf(input)), 'From') ?? '');
  return addressOnly(from) ?? '';
}

function recipientsOf({ input }: AttemptedCall): string[] {
  const named = Object.entries(input).flatMap(([name, value]) =>
    /^Destinations?\.(\w+\.)?member\.\d+$/.test(name) && typeof value === 'string' ? addressesIn(value) : [],
  );
  if (named.length > 0) return named;
  const headers = headersOf(headOf(input));
  return ['To', 'Cc', 'Bcc'].flatMap((name) => addressesIn(headerOf(headers, name) ?? ''));
}

function headOf(input: AttemptedCall['input']): Buffer {
  return Buffer.from(textOf(input, 'RawMessage.Data').slice(0, HEAD_BASE64_CHARS), 'base64');
}
