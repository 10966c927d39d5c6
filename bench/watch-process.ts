import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { watch as chokidar } from 'chokidar';
import { watchVault } from '#local-agent/watch-vault.ts';
import type { Watched } from './watch.ts';

// The body of a process: watches a folder, says how long that took and what it holds in memory. Both ways of watching
// are loaded in both, so that the code of neither counts.
const [kind, folder = ''] = process.argv.slice(2);
const PROBE = 'Notes/area-00/topic-0/probe.md';

let heard: () => void = () => undefined;
const told = new Promise<void>((resolve) => (heard = resolve));
const before = memoryKb();
const startedMs = performance.now();
const close = kind === 'ours' ? watchOurs() : await watchChokidar();
const readyMs = performance.now() - startedMs;
const after = memoryKb();
const writtenMs = performance.now();
writeFileSync(path.join(folder, PROBE), `A line written at ${writtenMs}.\n`);
await told;
const watched: Watched = { readyMs, memoryKb: after - before, heardMs: performance.now() - writtenMs };
await close();
process.once('disconnect', () => process.exit(0));
process.send?.(watched);

function watchOurs(): () => Promise<void> {
  const watcher = watchVault(
    folder,
    () => heard(),
    (line) => process.stderr.write(`${line}\n`),
  );
  return async () => watcher.close();
}

async function watchChokidar(): Promise<() => Promise<void>> {
  const watcher = chokidar(folder, { ignoreInitial: true });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  watcher.on('all', () => heard());
  return () => watcher.close();
}

/** What the process holds after a collection; the operating system's view, since a watcher's memory is not all V8's. */
function memoryKb(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / 1024;
}
