import { mkdirSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#local-agent/agent.ts';
import { syncVault } from '#local-agent/sync/sync.ts';
import { sha256Hex } from '#protocol/canonical.ts';
import { createFixedClock } from '#test/support/memory/fixed-clock.ts';
import { createLocalWorld } from '#test/support/local-world.ts';
import type { LocalWorld } from '#test/support/local-world.ts';

const NOTE = 'Notes/a.md';

let world: LocalWorld;
let agent: Agent;
let read: string[];

beforeEach(async () => {
  world = await createLocalWorld();
  // Long after any file was written: what a clock's grain may hide is looked at again, and that is not meant here.
  const clock = createFixedClock(new Date(Date.now() + 3_600_000).toISOString());
  const { files } = world.agent;
  read = [];
  const watched = Object.assign(Object.create(files) as typeof files, {
    read: (file: string) => {
      read.push(file);
      return files.read(file);
    },
  });
  agent = world.restart({ clock, files: watched });
  put('one\n');
  for (let i = 0; i < 20; i++) writeFileSync(path.join(world.vault, `Notes/note-${i}.md`), `Note ${i}.\n`);
  await syncVault(agent);
  read = [];
});
afterEach(() => world.dispose());

function put(text: string): void {
  mkdirSync(path.dirname(place()), { recursive: true });
  writeFileSync(place(), text);
}

function place(): string {
  return path.join(world.vault, NOTE);
}

function inLedger(): string | undefined {
  return agent.session.state.files.get(NOTE)?.content.sha256;
}

describe('the body of a file (FAILURES 27)', () => {
  it('that did not change is not read again', async () => {
    await syncVault(agent);
    expect(read).toEqual([]);
  });

  it('that changed is the only one that is read', async () => {
    put('another\n');
    await syncVault(agent);
    expect(new Set(read)).toEqual(new Set([NOTE]));
    expect(inLedger()).toBe(sha256Hex('another\n'));
  });

  it('that was edited without another size or time is read', async () => {
    const { atime, mtime } = statSync(place());
    put('two\n');
    utimesSync(place(), atime, mtime);
    await syncVault(agent);
    expect(inLedger()).toBe(sha256Hex('two\n'));
  });

  it('that was replaced by one of the same size and time is read', async () => {
    const { atime, mtime } = statSync(place());
    const other = path.join(path.dirname(world.vault), 'other.md');
    writeFileSync(other, 'two\n');
    utimesSync(other, atime, mtime);
    renameSync(other, place());
    await syncVault(agent);
    expect(inLedger()).toBe(sha256Hex('two\n'));
  });
});
