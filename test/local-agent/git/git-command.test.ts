import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createGit } from '#local-agent/git/git-command.ts';
import type { Git } from '#local-agent/git/git-command.ts';

let folder: string;
let git: Git;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'employee-git-'));
  execFileSync('git', ['init', '--quiet', folder]);
  git = createGit(folder, process.env);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a git that is stopped', () => {
  it("takes its lock along: what was stopped stands in nobody's way afterwards", async () => {
    const inGit = (name: string): string => path.join(folder, '.git', name);
    // "commit -a" holds the index while its hook runs.
    writeFileSync(inGit('hooks/pre-commit'), `#!/bin/sh\n: > '${inGit('ready')}'\nsleep 300\n`, {
      mode: 0o755,
    });
    writeFileSync(path.join(folder, 'a.txt'), 'a\n');
    await git.run(['add', 'a.txt']);
    const stop = new AbortController();
    const identity = ['-c', 'user.name=Robin', '-c', 'user.email=robin@example.com'];
    const running = git.run([...identity, 'commit', '-a', '-m', 'one'], { signal: stop.signal });
    const failed = expect(running).rejects.toThrow('stopped');
    await vi.waitFor(() => expect(existsSync(inGit('ready'))).toBe(true), 10_000);
    expect(existsSync(inGit('index.lock'))).toBe(true);
    stop.abort();
    await failed;
    expect(existsSync(inGit('index.lock'))).toBe(false);
  });

  it.skipIf(process.platform === 'win32')('and does not listen is killed, with what it started', async () => {
    const hook = path.join(folder, 'deaf');
    writeFileSync(hook, '#!/bin/sh\ntrap "" TERM\nsleep 300\n', { mode: 0o755 });
    const started = performance.now();
    const running = git.run(['-c', `alias.deaf=!${hook}`, 'deaf'], { timeoutMs: 300 });
    await expect(running).rejects.toThrow('did not end within 0.3 s');
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
