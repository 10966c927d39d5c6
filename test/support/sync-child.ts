import { writeSync } from 'node:fs';
import { openAgent } from '#local-agent/open-agent.ts';
import { syncVault } from '#local-agent/sync/sync.ts';

// The body of a process that syncs when it is told to, with an agent that is opened anew for each sync as
// `employee sync` does. Made to be killed: each call of a port is said on stdout before it is made and after it, in
// one write that has left the process when the call begins.
const [configFile = ''] = process.argv.slice(2);
const STDOUT = 1;

process.on('message', () => void sync());
process.once('disconnect', () => process.exit(0));
process.send?.({ ready: true });

async function sync(): Promise<void> {
  try {
    say('+open');
    const agent = await openAgent(configFile);
    say('-');
    try {
      for (const port of ['ledger', 'blobs', 'files'] as const) sayCalls(port, agent[port]);
      const { head, pulled, applied, pushed } = await syncVault(agent);
      process.send?.({ synced: { head, pulled, applied, pushed } });
    } finally {
      await agent.close();
    }
  } catch (error) {
    process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/** In place, because the session holds the same ports. */
function sayCalls(port: string, members: object): void {
  for (const [name, member] of Object.entries(members) as [string, unknown][]) {
    if (!isFunction(member)) continue;
    const call = async (...args: unknown[]): Promise<unknown> => {
      say(`+${port}.${name}`);
      try {
        return await member.apply(members, args);
      } finally {
        say('-');
      }
    };
    Object.assign(members, { [name]: call });
  }
}

function isFunction(member: unknown): member is (...args: unknown[]) => unknown {
  return typeof member === 'function';
}

function say(line: string): void {
  writeSync(STDOUT, `${line}\n`);
}
