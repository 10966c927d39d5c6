import type { Action } from '#protocol/action.ts';
import { warningWords } from '#protocol/warning-words.ts';
import type { Style } from './output.ts';
import type { Preview } from './show.ts';
import { visibleLine, visibleText } from './visible.ts';

/** A preview as text for a terminal: what would happen first, then who asked for it, then the note. */
export function previewText(preview: Preview, style: Style): string {
  const { task, actions, problem } = preview;
  const lines = [`${style.bold(task.short)}  ${task.state}  ${preview.path ?? ''}`, ''];
  if (task.why !== undefined) lines.push(`why      ${task.why}`);
  lines.push(`sender   ${visibleLine(preview.sender)}`);
  for (const code of task.warnings)
    lines.push(`${style.warn('warning')}  ${visibleLine(warningWords(code))}`);
  if (problem !== undefined) lines.push(style.bad(`problem  ${visibleLine(problem)}`));
  if (actions.length === 0) return [...lines, '', preview.text].join('\n');
  lines.push('', style.bold('What would be done:'), '');
  for (const action of actions) lines.push(...actionLines(action, style), '');
  lines.push(`digest   ${preview.actionsDigest ?? ''}`);
  if (task.state === 'pending_approval') {
    const digest = preview.actionsDigest?.slice(0, 12) ?? '';
    lines.push(style.dim(`approve  employee approve ${task.short} --digest ${digest}`));
  }
  return lines.join('\n');
}

/** One action, complete, each unseen character made visible. */
export function actionLines(action: Action, style: Style): string[] {
  const head: [string, string][] = [
    ['kind', action.kind],
    ['from', action.from],
    ['to', action.to.join(', ')],
    ...(action.cc.length > 0 ? [['cc', action.cc.join(', ')] as [string, string]] : []),
    ['subject', action.subject],
    ...action.attachments.map(({ path, sizeBytes }): [string, string] => [
      'attached',
      `${path} (${sizeBytes} bytes)`,
    ]),
  ];
  return [
    ...head.map(([name, value]) => `  ${style.dim(name.padEnd(8))} ${visibleLine(value)}`),
    '',
    ...visibleText(action.text)
      .split('\n')
      .map((line) => `  ${style.dim('│')} ${line}`),
  ];
}
