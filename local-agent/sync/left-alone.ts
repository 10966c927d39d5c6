/**
 * What programs put beside a person's files while they work, by name; no list of what is withheld names
 * them. Everything else that does not begin with a dot is synced or listed.
 *
 * | name | of |
 * |---|---|
 * | `name~`, `#name.md#` | backups and unsaved work of vim and Emacs |
 * | `4913`, `5036` … without a byte in it | vim, to see whether it may write in a folder |
 * | `~$report.docx`, `~WRL0001.tmp`, `*.tmp` | Office and others, while a file is open |
 * | `*.crdownload`, `*.part`, `*.partial`, `*.opdownload` | a download that has not ended |
 * | `Thumbs.db`, `desktop.ini`, `Icon` and a carriage return | Windows and macOS, in any folder |
 */
const PATTERNS: readonly RegExp[] = [
  /.~$/,
  /^#.+\.[^.]+#$/,
  /^~\$/,
  /.\.(tmp|crdownload|part|partial|opdownload)$/i,
  /^(thumbs\.db|ehthumbs\.db|desktop\.ini|icon\r)$/i,
];

/** vim counts up by 123 until a name is free. */
const PROBE = /^\d{4,5}$/;
const [FIRST_PROBE, PROBE_STEP] = [4913, 123];

/** Whether a file of this name is left out of sync without a word: neither uploaded nor ever deleted. */
export function isLeftAlone(path: string, sizeBytes?: number): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (sizeBytes === 0 && PROBE.test(name) && (Number(name) - FIRST_PROBE) % PROBE_STEP === 0) return true;
  return PATTERNS.some((pattern) => pattern.test(name));
}
