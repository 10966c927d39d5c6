import type { BeginAtCheckpoint } from '#protocol/checkpoint.ts';
import { CloudSecret } from '#protocol/cloud-secret.ts';
import { EmployeeError } from '#protocol/errors.ts';
import type { Writer } from '#protocol/ledger-entry.ts';
import { LedgerSession } from '#protocol/ledger-session.ts';
import type { LedgerPorts } from '#protocol/ledger-session.ts';
import type { SecretSource } from '#protocol/ports.ts';
import { vaultKey } from '#protocol/seal.ts';
import type { Keyring } from '#protocol/seal.ts';
import type { VaultState } from '#protocol/vault-state.ts';
import { signingKeysOf } from '#protocol/writer-keys.ts';

/** The keys at hand are not those in force: they were rotated since the secret was read. */
export class StaleKeysError extends EmployeeError {
  static override readonly code = 'STALE_KEYS';
}

/** Keys came into force in the middle of the work: what it stored under the old ones has to be stored again. */
class KeysChangedError extends EmployeeError {
  static override readonly code = 'KEYS_CHANGED';
}

/** What the cloud zone works with in one invocation. */
export interface Zone {
  readonly session: Pick<LedgerSession, 'state' | 'pull' | 'append'>;
  readonly keyring: Keyring;
}

/** Lends the zone's session to one piece of work after the other. */
export interface ZoneSource {
  /** Runs `work`, which has to be safe to run twice. */
  use<T>(work: (zone: Zone) => Promise<T>): Promise<T>;
}

/** What the zone's session works with; `begin` for a quick start. */
export type ZonePorts = LedgerPorts & { readonly begin?: BeginAtCheckpoint };

/** A rotation after a compromise changes the keys twice: new ones come into force, and the old signing key goes. */
const MAX_ATTEMPTS = 4;
const KEY_TROUBLE: ReadonlySet<string> = new Set(['STALE_KEYS', 'LEDGER_INTEGRITY', 'SEAL']);

/**
 * The cloud zone's ledger session, kept between invocations: a warm one reads only what is new, a cold one
 * begins at the newest checkpoint. After any error it is dropped and built anew. If keys may be the cause, the
 * secret is read again, and the work repeated if it has changed; if a checkpoint may be, all of the ledger
 * is read instead. Otherwise the error stands and nothing is written.
 */
export function createZoneSource(secret: SecretSource, ports: ZonePorts): ZoneSource {
  let text: string | undefined;
  let zone: Zone | undefined;
  /** Whether the session may begin at a checkpoint, and whether it did. */
  let mayJump = true;
  let jumped = false;

  async function attempt<T>(work: (zone: Zone) => Promise<T>): Promise<T> {
    text ??= await secret.read();
    if (!zone) {
      const parsed = parseSecret(text);
      const start = mayJump ? await ports.begin?.(asWriter(parsed), parsed.root) : undefined;
      jumped = start !== undefined;
      zone = makeZone(parsed, ports, start);
    }
    try {
      return await work(zone);
    } catch (error) {
      zone = undefined;
      throw error;
    }
  }

  /** Whether another attempt may go better: with keys that are in force, or with all of the ledger. */
  async function mayHelp(error: unknown): Promise<boolean> {
    if (error instanceof KeysChangedError) return true;
    if (!(error instanceof EmployeeError) || !KEY_TROUBLE.has(error.code)) return false;
    const before = text;
    text = undefined;
    text = await secret.read();
    if (text === before && !jumped) return false;
    mayJump &&= !jumped;
    return true;
  }

  return {
    use: async (work) => {
      for (let attempts = 1; ; attempts++) {
        try {
          return await attempt(work);
        } catch (error) {
          if (attempts === MAX_ATTEMPTS || !(await mayHelp(error))) throw error;
        }
      }
    },
  };
}

function asWriter({ vaultId, writer, signing, keyring }: CloudSecret): Writer {
  return { vaultId, writer, signingKey: signing, keyring };
}

function makeZone(secret: CloudSecret, ports: ZonePorts, start: VaultState | undefined): Zone {
  const session = new LedgerSession(
    asWriter(secret),
    secret.root,
    ports,
    (verified) => {
      // Skipping what this zone should be able to read would make it act on half the truth.
      if (verified.inForce && verified.entry.ring === 'shared' && verified.body === undefined) {
        throw lacking(verified.entry.keyEpoch);
      }
    },
    {
      onKeyEpoch: ({ keyEpoch }, keys) => {
        if (!keys) throw lacking(keyEpoch);
      },
      ...(start ? { start } : {}),
    },
  );
  let readWith: number | undefined;
  return {
    keyring: secret.keyring,
    session: {
      state: session.state,
      pull: async () => {
        const pulled = await session.pull();
        readWith = session.state.keys?.keyEpoch;
        return pulled;
      },
      append: (build) =>
        session.append((state) => {
          const draft = build(state);
          if (draft) requireOwnKeys(state, secret);
          if (draft && readWith !== undefined && readWith !== state.keys?.keyEpoch) {
            throw new KeysChangedError('the vault keys were rotated in the middle of the work');
          }
          return draft;
        }),
    },
  };
}

function lacking(keyEpoch: number): StaleKeysError {
  return new StaleKeysError(
    `the secret has no shared key of key epoch ${keyEpoch}; "employee keys rotate" puts it there`,
  );
}

/** An entry signed with a key that is no longer ours would stand in the ledger and break it for every reader. */
function requireOwnKeys(state: VaultState, secret: CloudSecret): void {
  if (!signingKeysOf(state.keys, secret.writer).includes(secret.signing.publicKey)) {
    throw new StaleKeysError(`the ledger knows another signing key of ${secret.writer}, or none`);
  }
  if (state.keys && vaultKey(secret.keyring, 'shared', state.keys.keyEpoch) === undefined) {
    throw new StaleKeysError('the vault keys were rotated');
  }
}

/** Nothing of the value may get into an error: errors are logged. */
function parseSecret(text: string): CloudSecret {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new StaleKeysError('the vault secret is no JSON; run `employee init` to write it');
  }
  const parsed = CloudSecret.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.'));
  throw new StaleKeysError(
    `the vault secret is not complete (${fields.join(', ')}); run \`employee init\` to write it`,
  );
}
