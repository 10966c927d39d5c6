const NAMES: readonly RegExp[] = [
  /^\.env(\..*)?$/,
  /credentials?/,
  /token/,
  /session/,
  /^secrets?$/,
  /^id_(rsa|dsa|ecdsa|ed25519)$/,
  /\.(pem|key|p12|pfx|jks|keystore|kdbx|age|asc|gpg)$/,
  /^\.(netrc|npmrc|pypirc|git-credentials)$/,
];

const CONTENTS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----/, 'a private key'],
  [/\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/, 'an AWS access key id'],
  [/\bAGE-SECRET-KEY-1[0-9A-Z]{20,}/, 'an age key'],
  [/\bgh[pousr]_[A-Za-z0-9]{30,}\b/, 'a Git host token'],
  [/\bsk_(?:live|test)_[A-Za-z0-9]{16,}\b/, 'a payment key'],
  [/\bsk-(?:[a-z]+-)?[A-Za-z0-9_-]{32,}\b/, 'a model key'],
  [/\bxox[abprs]-[A-Za-z0-9-]{20,}/, 'a chat token'],
];

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * Why a path must never leave this machine, or `undefined`. Every segment counts, folded in case and
 * Unicode form and without what cannot be seen, so that neither `.ENV` nor a folder above gets round it.
 */
export function withheldPath(path: string): string | undefined {
  for (const segment of path.split('/')) {
    const folded = segment.normalize('NFKC').replace(INVISIBLE, '').toLowerCase();
    const rule = NAMES.find((name) => name.test(folded));
    if (rule) return `the name ${JSON.stringify(segment)} is one that secrets have`;
  }
  return undefined;
}

/** Why a text must never leave this machine (it looks like a credential), or `undefined`. */
export function withheldContent(text: string): string | undefined {
  const hit = CONTENTS.find(([pattern]) => pattern.test(text));
  return hit ? `it holds what looks like ${hit[1]}` : undefined;
}
