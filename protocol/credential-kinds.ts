/** A kind of credential as it stands in a text. */
export interface CredentialKind {
  /** In words, with an article. */
  readonly what: string;
  /** What it begins with, letter by letter: only where one of these stands is `shape` tried. */
  readonly starts: readonly string[];
  /** The whole of it, from `starts` on. Every repetition is bounded, so that no text takes long. */
  readonly shape: RegExp;
}

const kind = (what: string, starts: readonly string[], shape: RegExp): CredentialKind => ({
  what,
  starts,
  shape: new RegExp(shape.source, 'y'),
});

/**
 * Credentials that can be told by their looks, from the patterns that their issuers publish. Each begins
 * with letters that issuers chose to be found by, or has the name of a secret before it; what merely looks
 * random is none. The borders keep a run of base64 from being cut into one. Of a long key a shape takes so
 * much that two of them differ.
 */
export const CREDENTIAL_KINDS: readonly CredentialKind[] = [
  kind(
    'a private key',
    ['-----BEGIN '],
    /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{0,1000}/,
  ),
  kind('a private key', ['---- BEGIN '], /---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----[^-]{0,1000}/),
  kind('a PuTTY key', ['PuTTY-User-Key-File-'], /PuTTY-User-Key-File-[1-9]: [^]{0,300}/),
  kind('an age key', ['AGE-SECRET-KEY-'], /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20}/),
  // Amazon's own documents use one key, which ends so.
  kind('an AWS access key id', ['AKIA', 'ASIA'], /(?<!\w)A[KS]IA(?!\w{9}EXAMPLE)[A-Z2-7]{16}(?!\w)/),
  kind(
    'an AWS secret key',
    ['aws_secret_access_key', 'AWS_SECRET_ACCESS_KEY', 'ecretAccessKey'],
    /(?:aws_secret_access_key|AWS_SECRET_ACCESS_KEY|ecretAccessKey)["']?\s{0,5}[=:]\s{0,5}["']?(?![\w/+]{0,40}EXAMPLE)[A-Za-z0-9/+]{40}(?![\w/+])/,
  ),
  kind('a Google API key', ['AIza'], /(?<![\w-])AIza[\w-]{35}(?![\w-])/),
  kind('a Google secret', ['GOCSPX-'], /(?<![\w-])GOCSPX-[\w-]{28}(?![\w-])/),
  kind('a Google token', ['ya29.'], /(?<!\w)ya29\.[\w-]{40}/),
  kind(
    'an Azure key',
    ['AccountKey=', 'SharedAccessKey='],
    /(?:AccountKey=[A-Za-z0-9/+]{86}==|SharedAccessKey=[A-Za-z0-9/+]{43}=)/,
  ),
  kind('a Git host token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], /(?<!\w)gh[pousr]_[A-Za-z0-9]{30}/),
  kind('a Git host token', ['github_pat_'], /(?<!\w)github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{50}/),
  kind('a Git host token', ['glpat-'], /(?<![\w-])glpat-[\w-]{20}/),
  kind(
    'a payment key',
    ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'],
    /(?<!\w)[sr]k_\w{4}_[A-Za-z0-9]{16}/,
  ),
  kind('a payment key', ['whsec_'], /(?<!\w)whsec_[A-Za-z0-9/+]{32}/),
  kind(
    'a model key',
    ['sk-'],
    /(?<![\w-])sk-(?:(?:ant|proj|svcacct|admin|or)-[\w-]{32}|(?:[A-Za-z0-9]{48}|[0-9a-f]{32})(?![\w-]))/,
  ),
  kind('a model key', ['hf_'], /(?<!\w)hf_[A-Za-z]{34}(?!\w)/),
  kind('a chat token', ['xox'], /(?<![\w-])xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{20}/),
  kind('a chat token', ['xapp-'], /(?<![\w-])xapp-[0-9]-[A-Z0-9]{8,20}-[0-9]{8,20}-[a-f0-9]{20}/),
  kind('a chat token', ['hooks.slack.com/'], /hooks\.slack\.com\/services\/T\w{6,20}\/B\w{6,20}\/\w{20}/),
  kind('a package token', ['npm_'], /(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)/),
  kind('a package token', ['_authToken='], /_authToken=["']?[\w-][\w.+/=-]{15}/),
  kind('a package token', ['pypi-AgE'], /(?<![\w-])pypi-AgE[\w-]{50}/),
  kind('a registry token', ['dckr_pat_'], /(?<!\w)dckr_pat_[\w-]{24}/),
  kind('a cloud token', ['doo_v1_', 'dop_v1_', 'dor_v1_'], /(?<!\w)do[opr]_v1_[a-f0-9]{64}/),
  kind('a mail key', ['SG.'], /(?<![\w.])SG\.[\w-]{22}\.[\w-]{43}(?![\w-])/),
  // A link in a mail often holds one that is none of ours; only where it is called a bearer's is it one.
  kind('a bearer token', ['Bearer eyJ'], /Bearer eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{20}/),
  kind(
    'the password of a database',
    ['postgres://', 'postgresql://', 'mysql://', 'mongodb://', 'mongodb+srv://', 'redis://', 'amqp://'],
    /[a-z+]{5,12}:\/\/[^\s:/@]{0,64}:(?!pass|secret|example|changeme|x{3}|\W)[^\s:/@]{4,128}@[\w[]/,
  ),
];
