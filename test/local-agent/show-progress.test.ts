import { expect, it } from 'vitest';
import { createOutput } from '#local-agent/output.ts';
import { showProgress } from '#local-agent/show-progress.ts';

function said(
  isTTY: boolean,
  timesMs: readonly number[],
): { readonly stdout: string; readonly stderr: string } {
  const text = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof text): { isTTY: boolean; write: (more: string) => void } => ({
    isTTY,
    write: (more) => void (text[name] += more),
  });
  const out = createOutput(
    { stdout: sink('stdout'), stderr: sink('stderr') },
    { json: true, noColour: true, debug: false },
  );
  let now = 0;
  const progress = showProgress(out, () => now);
  for (const [index, time] of timesMs.entries()) {
    now = time;
    progress({ stage: 'upload', done: index, total: 9, path: `Notes/${index}\u202e.md` });
  }
  out.result({ done: true }, () => 'done');
  return text;
}

it('nothing is said of short work where nobody watches, and of long work every two seconds', () => {
  expect(said(false, [0, 500, 1900])).toEqual({ stdout: '{"done":true}\n', stderr: '' });
  const { stdout, stderr } = said(false, [0, 1000, 2100, 3000, 4200]);
  expect(stdout).toBe('{"done":true}\n');
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(/^sending 2 of 9 {2}Notes\/2/),
    expect.stringMatching(/^sending 4 of 9 {2}Notes\/4/),
    '',
  ]);
  expect(stderr).not.toContain('\u202e');
});

it('on a terminal it is one line, which the answer clears away', () => {
  const { stderr } = said(true, [0, 150, 300]);
  expect(stderr.split('\r\u001b[2K')).toEqual([
    expect.stringMatching(/^sending 1 of 9 {2}Notes\/1/),
    expect.stringMatching(/^sending 2 of 9 {2}Notes\/2/),
    '',
  ]);
  expect(stderr).not.toContain('\n');
});
