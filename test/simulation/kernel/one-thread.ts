import crypto from 'node:crypto';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';
import { KnownSignatures } from './known-signatures.ts';
import { running } from './process.ts';
import { ed25519Of } from './seeded-key.ts';
import type { Scheduler } from './scheduler.ts';

/** Where the vaults of simulated machines are said to be. */
export const SIMULATED_ROOT = '/simulated/';

const known = new KnownSignatures();

type Callback = (error: Error | null, result: unknown) => void;

/** What the simulated world offers in the place of this computer. */
export interface Stage {
  readonly scheduler: Scheduler;
  /** The text of a file that the product reads past its ports (the sentinel of a vault). */
  readonly readText: (path: string) => string | undefined;
  /** Random bytes, the same for the same seed. */
  readonly randomBytes: (size: number) => Buffer;
}

/**
 * Keeps everything on one thread and in virtual time while a simulation runs: what Node would do on other threads (many
 * signatures at once, compression, a file read past the ports) is done here and now, intervals follow the scheduler,
 * random bytes and new keys the seed. Node's own modules are changed, since the product imports them by name; only calls of
 * simulated processes are served differently.
 *
 * @returns what puts everything back.
 */
export function takeStage({ scheduler, readText, randomBytes }: Stage): () => void {
  const { verify, randomBytes: ownBytes, randomUUID, generateKeyPairSync } = crypto;
  const { readFile } = fsPromises;
  const { gzip } = zlib;
  const { setInterval: ownInterval, clearInterval: ownClear } = globalThis;

  Object.assign(crypto, {
    verify: (...args: readonly unknown[]): unknown => {
      const callback = args[4];
      if (!running.getStore() || typeof callback !== 'function') return Reflect.apply(verify, crypto, args);
      const good = known.answer(
        args.slice(0, 4),
        () => Reflect.apply(verify, crypto, args.slice(0, 4)) as boolean,
      );
      queueMicrotask(() => (callback as Callback)(null, good));
      return undefined;
    },
    randomBytes: (...args: readonly unknown[]): unknown =>
      running.getStore() && args.length === 1
        ? randomBytes(Number(args[0]))
        : Reflect.apply(ownBytes, crypto, args),
    randomUUID: (...args: readonly unknown[]): unknown =>
      running.getStore() ? uuidOf(randomBytes(16)) : Reflect.apply(randomUUID, crypto, args),
    generateKeyPairSync: (...args: readonly unknown[]): unknown => {
      if (!running.getStore() || args[0] !== 'ed25519')
        return Reflect.apply(generateKeyPairSync, crypto, args);
      const privateKey = ed25519Of(randomBytes(32));
      return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
    },
  });
  Object.assign(zlib, {
    gzip: (...args: readonly unknown[]): void => {
      const callback = args.at(-1) as Callback;
      const zipped = zlib.gzipSync(args[0] as zlib.InputType);
      queueMicrotask(() => callback(null, zipped));
    },
  });
  Object.assign(fsPromises, {
    readFile: async (...args: readonly unknown[]): Promise<unknown> => {
      if (!String(args[0]).startsWith(SIMULATED_ROOT)) return Reflect.apply(readFile, fsPromises, args);
      const text = readText(String(args[0]).slice(SIMULATED_ROOT.length));
      if (text === undefined)
        throw Object.assign(new Error('no such file'), { code: 'ENOENT', path: args[0] });
      return text;
    },
  });
  globalThis.setInterval = ((act: () => void, ms: number) => {
    const process = running.getStore();
    if (!process) return ownInterval(act, ms);
    let cancel: () => void = () => undefined;
    const beat = (): void => {
      cancel = scheduler.in(ms, () => {
        if (process.isOver) return;
        if (scheduler.nowMs >= process.host.asleepUntilMs) running.run(process, act);
        beat();
      });
    };
    beat();
    return { stop: () => cancel() };
  }) as typeof setInterval;
  globalThis.clearInterval = (timer: unknown) => {
    const isOurs = typeof timer === 'object' && timer !== null && 'stop' in timer;
    if (isOurs && typeof timer.stop === 'function') Reflect.apply(timer.stop, timer, []);
    else Reflect.apply(ownClear, globalThis, [timer]);
  };
  syncBuiltinESMExports();
  return () => {
    Object.assign(crypto, { verify, randomBytes: ownBytes, randomUUID, generateKeyPairSync });
    Object.assign(zlib, { gzip });
    Object.assign(fsPromises, { readFile });
    Object.assign(globalThis, { setInterval: ownInterval, clearInterval: ownClear });
    syncBuiltinESMExports();
  };
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}
