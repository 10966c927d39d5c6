import { shortId } from '#protocol/ids.ts';
import type { KeysStatus } from './keys-status.ts';
import type { Style } from './output.ts';
import type { RotationReport } from './rotate-keys.ts';

/** Which keys are in force, for a person. */
export function keysText(found: KeysStatus, style: Style): string {
  const { keyEpoch, entry, since, ageDays, isOld, atHand, unfinished, writers } = found;
  return [
    `in force  key epoch ${keyEpoch}, since entry ${entry} (${since.slice(0, 10)}, ${ageDays} days)`,
    `at hand   key epochs ${atHand.join(', ')}`,
    ...writers.map(
      ({ writer, zone, lastEntry }) =>
        `${zone.padEnd(9)} ${writer}: ${lastEntry === null ? style.warn('has not written with them yet') : `has them (entry ${lastEntry})`}`,
    ),
    ...(unfinished === undefined
      ? []
      : [
          style.bad(
            `the rotation to key epoch ${unfinished} is not complete: "employee keys rotate" goes on`,
          ),
        ]),
    ...(isOld ? [style.warn('older than a year: "employee keys rotate" makes new ones')] : []),
  ].join('\n');
}

/** What a rotation did, for a person. */
export function rotatedText(report: RotationReport, style: Style): string {
  const { keyEpoch, entry, compromised, voided, resealed, unreadable } = report;
  const common = `${style.good('rotated')}  key epoch ${keyEpoch} is in force since entry ${entry}`;
  if (!compromised) return `${common}; your other machines take the new keys over with their next sync`;
  return [
    common,
    ...voided.map((taskId) => `  approve again  ${shortId(taskId)}`),
    `  ${resealed} stored contents sealed anew; "employee gc --yes --older-than 1d" removes the old objects`,
    ...(unreadable === 0 ? [] : [style.warn(`  ${unreadable} could not be read; see "employee verify"`)]),
    style.warn(
      '  what stands inside of earlier entries stays readable for whoever has the old keys and the table',
    ),
    `  ${style.bold('your other machines')}: "employee keys export FILE" here, "employee keys import FILE" there`,
  ].join('\n');
}
