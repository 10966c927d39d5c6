import { loadContent } from '#protocol/content-store.ts';
import type { StandingOrder } from '#protocol/model.ts';
import type { BlobStore } from '#protocol/ports.ts';
import type { Keyring } from '#protocol/seal.ts';
import type { FileView, VaultState } from '#protocol/vault-state.ts';

/** The owner's standing orders as they are now, and which of them could not be read. */
export interface StandingOrders {
  readonly handbook?: string;
  readonly templates: readonly StandingOrder[];
  readonly unreadable: readonly string[];
}

interface OrderPorts {
  readonly blobs: BlobStore;
  readonly keyring: Keyring;
  /** Texts by hash; those no longer in use are dropped. */
  readonly texts: Map<string, string>;
}

const HANDBOOK = 'Handbook.md';

/**
 * Reads `Handbook.md` and `Templates/*.md` from the ledger's files. Nothing is fetched twice while its hash is
 * the same. One that cannot be read is left out and named: a lost template must not stop the mail.
 */
export async function readStandingOrders(state: VaultState, ports: OrderPorts): Promise<StandingOrders> {
  const files = [...state.files].filter(
    ([path, { ring }]) => ring === 'shared' && (path === HANDBOOK || /^Templates\/.+\.md$/i.test(path)),
  );
  const inUse = new Set(files.map(([, { content }]) => content.sha256));
  for (const hash of ports.texts.keys()) if (!inUse.has(hash)) ports.texts.delete(hash);

  const read = await Promise.all(
    files.map(async ([path, file]) => ({ path, text: await textOf(file, state, ports) })),
  );
  const readable = read.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]));
  const handbook = readable.find(({ path }) => path === HANDBOOK)?.text;
  return {
    ...(handbook === undefined ? {} : { handbook }),
    templates: readable.filter(({ path }) => path !== HANDBOOK).sort((a, b) => (a.path < b.path ? -1 : 1)),
    unreadable: read.filter(({ text }) => text === undefined).map(({ path }) => path),
  };
}

async function textOf(
  { content }: FileView,
  state: VaultState,
  ports: OrderPorts,
): Promise<string | undefined> {
  const known = ports.texts.get(content.sha256);
  if (known !== undefined) return known;
  try {
    const bytes = await loadContent(content, 'shared', ports.keyring, state.vaultId, ports.blobs);
    ports.texts.set(content.sha256, bytes.toString());
    return bytes.toString();
  } catch {
    return undefined;
  }
}
