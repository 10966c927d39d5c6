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
  shape: new RegExp(shape.source, `${shape.flags}y`),
});

/** What stands in examples where a password would be. */
const PLACEHOLDER =
  /(?:(?:db|my|the|user|your)?[_-]?(?:pass(?:word|wd)?|pwd|pw|secret|token)|change_?me|example|hidden|redacted|your[\w-]{0,40}|[x*.]{3,99}|[<{[$%][^@\s]{0,99})/
    .source;

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
    ['ecret_access_key', 'ECRET_ACCESS_KEY', 'ecretAccessKey'],
    /(?:ecret_access_key|ECRET_ACCESS_KEY|ecretAccessKey)["']?\s{0,5}[=:]\s{0,5}["']?(?![\w/+]{0,40}EXAMPLE)[A-Za-z0-9/+]{40}(?![\w/+])/,
  ),
  kind(
    'an AWS session token',
    ['aws_session_token', 'AWS_SESSION_TOKEN', 'essionToken"'],
    /(?:aws_session_token|AWS_SESSION_TOKEN|essionToken")\s{0,5}[=:]\s{0,5}["']?[A-Za-z0-9/+]{100}/,
  ),
  kind('a Google API key', ['AIza'], /(?<![\w-])AIza[\w-]{35}(?![\w-])/),
  kind('a Google secret', ['GOCSPX-'], /(?<![\w-])GOCSPX-[\w-]{28}(?![\w-])/),
  kind('a Google token', ['ya29.'], /(?<!\w)ya29\.[\w-]{40}/),
  kind(
    'an Azure key',
    ['AccountKey=', 'SharedAccessKey='],
    /(?:AccountKey=[A-Za-z0-9/+]{86}==|SharedAccessKey=[A-Za-z0-9/+]{43}=)/,
  ),
  kind('an Azure secret', ['8Q~'], /(?<=[\w.~-]{3})8Q~[\w.~-]{34}/),
  kind('a Git host token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], /(?<!\w)gh[pousr]_[A-Za-z0-9]{30}/),
  kind('a Git host token', ['github_pat_'], /(?<!\w)github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{50}/),
  kind('a Git host token', ['glpat-', 'gldt-', 'glrt-'], /(?<![\w-])gl(?:pat|dt|rt)-[\w-]{20}/),
  kind('a Git host token', ['ATATT3'], /(?<!\w)ATATT3[\w=-]{100}/),
  kind(
    'a payment key',
    ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'],
    /(?<!\w)[sr]k_\w{4}_[A-Za-z0-9]{16}/,
  ),
  kind('a payment key', ['whsec_'], /(?<!\w)whsec_[A-Za-z0-9/+]{32}/),
  kind('a payment key', ['sq0atp-', 'sq0csp-'], /(?<![\w-])sq0[ac][ts]p-[\w-]{22}/),
  kind('a shop key', ['shpat_', 'shpca_', 'shppa_', 'shpss_'], /(?<!\w)shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/),
  kind(
    'a model key',
    ['sk-'],
    /(?<![\w-])sk-(?:(?:ant|proj|svcacct|admin|or)-[\w-]{32}|(?:[A-Za-z0-9]{48}|[0-9a-f]{32})(?![\w-]))/,
  ),
  kind('a model key', ['hf_'], /(?<!\w)hf_[A-Za-z]{34}(?!\w)/),
  kind('a model key', ['gsk_', 'pplx-', 'xai-'], /(?<![\w-])(?:gsk_|pplx-|xai-)[A-Za-z0-9]{48}/),
  kind('a model key', ['r8_'], /(?<!\w)r8_[A-Za-z0-9]{37}(?!\w)/),
  kind('a chat token', ['xox'], /(?<![\w-])xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{20}/),
  kind('a chat token', ['xapp-'], /(?<![\w-])xapp-[0-9]-[A-Z0-9]{8,20}-[0-9]{8,20}-[a-f0-9]{20}/),
  kind('a chat token', ['hooks.slack.com/'], /hooks\.slack\.com\/services\/T\w{6,20}\/B\w{6,20}\/\w{20}/),
  kind(
    'a chat token',
    ['discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'],
    /discord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/[\w-]{60}/,
  ),
  kind('a chat token', [':AA'], /(?<=(?<!\d)\d{8,10}):AA[\w-]{33}(?![\w-])/),
  kind('a package token', ['rubygems_'], /(?<!\w)rubygems_[a-f0-9]{48}/),
  kind('a package token', ['npm_'], /(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)/),
  kind('a package token', ['_authToken='], /_authToken=["']?[\w-][\w.+/=-]{15}/),
  kind('a package token', ['pypi-AgE'], /(?<![\w-])pypi-AgE[\w-]{50}/),
  kind('a registry token', ['dckr_pat_'], /(?<!\w)dckr_pat_[\w-]{24}/),
  kind('a cloud token', ['doo_v1_', 'dop_v1_', 'dor_v1_'], /(?<!\w)do[opr]_v1_[a-f0-9]{64}/),
  kind('a cloud token', ['dapi'], /(?<!\w)dapi[a-f0-9]{32}(?!\w)/),
  kind('a cloud token', ['pul-'], /(?<![\w-])pul-[a-f0-9]{40}(?!\w)/),
  kind('a cloud token', ['pscale_'], /(?<!\w)pscale_(?:tkn|pw|oauth)_[\w.-]{32}/),
  kind('a cloud token', ['sbp_'], /(?<!\w)sbp_[a-f0-9]{40}/),
  kind('a cloud token', ['glsa_'], /(?<!\w)glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}/),
  kind('a vault token', ['hvs.'], /(?<![\w.])hvs\.[\w-]{24}/),
  kind('a vault token', ['dp.pt.', 'dp.st.'], /(?<![\w.])dp\.[ps]t\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40}/),
  kind('a network key', ['tskey-'], /(?<![\w-])tskey-[a-z]{3,10}-[A-Za-z0-9]{8,30}-[A-Za-z0-9]{20}/),
  kind('a network key', ['PrivateKey = '], /PrivateKey = [A-Za-z0-9/+]{43}=/),
  kind('an app key', ['ntn_', 'lin_api_'], /(?<!\w)(?:ntn|lin_api)_[A-Za-z0-9]{40}/),
  kind('an app key', ['PMAK-'], /(?<![\w-])PMAK-[a-f0-9]{24}-[a-f0-9]{34}/),
  kind('a telephone key', ['SK'], /(?<!\w)SK[0-9a-f]{32}(?!\w)/),
  kind(
    'the secret of one-time codes',
    ['otpauth://'],
    /otpauth:\/\/[ht]otp\/[^\s?]{0,200}\?[^\s]{0,200}?secret=[A-Z2-7a-z]{16}/,
  ),
  kind('a mail key', ['SG.'], /(?<![\w.])SG\.[\w-]{22}\.[\w-]{43}(?![\w-])/),
  // A link in a mail often holds one that is none of ours: in an address it is none.
  kind(
    'a bearer token',
    ['eyJ'],
    /(?<![\w-])(?=eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{20})(?<!:\/\/[^\s<>"']{0,300})eyJ[\w.-]{30,7000}/,
  ),
  kind(
    'a password of HTTP',
    ['uthorization: Basic '],
    /uthorization: Basic (?!QWxhZGRpbjpvcGVu)[A-Za-z0-9+/]{8,400}={0,2}(?![\w+/])/,
  ),
  kind(
    'a password in an address',
    ['://'],
    new RegExp(`(?<=[a-z])://([^\\s:/@]{0,64}):(?!(?:\\1|${PLACEHOLDER})@)[^\\s:/@]{4,128}@[\\w[]`, 'i'),
  ),
  kind(
    'the password of a database',
    [';Password=', ';password=', ';PASSWORD=', ';Pwd=', ';pwd=', ';PWD='],
    new RegExp(`;(?:password|pwd)=(?!${PLACEHOLDER}(?![\\w!#$%&*+.-]))[^;"'\\s<>]{4,128}`, 'i'),
  ),
  kind(
    'the password of a database',
    ['jdbc:'],
    new RegExp(
      `jdbc:[a-z:]{3,30}//[^\\s?;]{1,200}[?;][^\\s]{0,200}?password=(?!${PLACEHOLDER}(?![\\w!#$%*+.-]))[^&;"'\\s<>]{4,128}`,
      'i',
    ),
  ),
  // As a file of settings has them; in an address such a word says little.
  kind(
    'a secret setting',
    ['TOKEN=', 'SECRET=', 'PASSWORD=', 'API_KEY=', 'SECRET_KEY='],
    /(?<![?&;][A-Z_]{0,40})(?:TOKEN|SECRET|PASSWORD|API_KEY|SECRET_KEY)=["']?(?=[\w+/=.-]{0,40}\d)(?=[\w+/=.-]{0,40}[A-Za-z])(?![\w-]{0,20}(?:EXAMPLE|[Ee]xample|your|xxx))[\w+/=.-]{16,200}/,
  ),
];
