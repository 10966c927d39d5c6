import { it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { createLocalWorld } from '#test/support/local-world.ts';
import { withHistory, write, ownersGit } from '#test/support/git-world.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
it('x', { timeout: 600_000 }, async () => {
  for (const n of (process.env['SIZES'] ?? '1000,10000').split(',').map(Number)) {
    const world = await createLocalWorld();
    for (let i = 0; i < n; i++) write(world, `Notes/${i % 100}/${i}.md`, `# Note ${i}\n\n${'some words '.repeat(180)}\n`);
    const agent = withHistory(world);
    const { history: _h, ...bare } = agent;
    await syncVault(bare);
    const copyDir = world.vault + '-anchor';
    cpSync(world.vault, copyDir, { recursive: true });
    let t = performance.now();
    const rss = process.memoryUsage().rss;
    await agent.history.commit([]);
    console.log(n, 'first', (performance.now() - t).toFixed(0), 'rss+', ((process.memoryUsage().rss - rss) / 1e6).toFixed(0), agent.lines);
    t = performance.now();
    const g = (...a: string[]) => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=b', ...a], { cwd: copyDir });
    g('init', '-q'); g('add', '-A'); g('commit', '-qm', 'x');
    console.log(n, 'anchor first', (performance.now() - t).toFixed(0));
    const ours: number[] = [], anchor: number[] = [];
    for (let k = 0; k < 7; k++) {
      write(world, 'Notes/1/1.md', `edit ${k}\n`);
      await syncVault(bare);
      t = performance.now();
      await agent.history.commit([]);
      ours.push(performance.now() - t);
      execFileSync('sh', ['-c', `echo ${k} > ${copyDir}/Notes/1/1.md`]);
      t = performance.now();
      g('add', '-A'); g('commit', '-qm', 'x');
      anchor.push(performance.now() - t);
    }
    const med = (a: number[]) => a.sort((x, y) => x - y)[3]?.toFixed(0);
    t = performance.now(); await agent.history.commit([]); const idle = performance.now() - t;
    console.log(n, 'one edit', med(ours), 'anchor', med(anchor), 'idle', idle.toFixed(2), ownersGit(world, ['rev-list', '--count', 'HEAD']).trim());
    rmSync(copyDir, { recursive: true });
    world.dispose();
  }
});
