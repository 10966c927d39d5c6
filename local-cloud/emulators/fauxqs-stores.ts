import type { BuildAppOptions } from 'fauxqs';

type Stores = NonNullable<BuildAppOptions['stores']>;

/** The three stores behind fauxqs, and a way to close what persists them. */
export interface FauxqsStores {
  stores: Stores;
  readonly close: () => void;
}

/** The parts of fauxqs's SQLite layer that are used here; it has no public entry. */
interface Persistence {
  db: { exec(sql: string): void; prepare(sql: string): { run(...values: string[]): unknown } };
  updateMessageReady(messageId: string): void;
  load(sqs: Stores['sqsStore'], sns: Stores['snsStore'], s3: Stores['s3Store']): void;
  close(): void;
}

/**
 * Makes fauxqs's stores, in memory or persistent in a folder.
 *
 * fauxqs persists only by `startFauxqs`, which listens on every interface. So its parts are put together
 * here, with two repairs: making a message visible again wrote NULL over its receive count, which fails and
 * loses the message; and messages that were in flight when the process ended are visible at once, since
 * whoever held them ended with it.
 */
export async function makeFauxqsStores(dataDir: string | undefined): Promise<FauxqsStores> {
  const [{ SqsStore }, { SnsStore }, { S3Store }] = await Promise.all([
    part<{ SqsStore: new () => Stores['sqsStore'] }>('sqs/sqsStore.js'),
    part<{ SnsStore: new () => Stores['snsStore'] }>('sns/snsStore.js'),
    part<{ S3Store: new () => Stores['s3Store'] }>('s3/s3Store.js'),
  ]);
  const stores: Stores = { sqsStore: new SqsStore(), snsStore: new SnsStore(), s3Store: new S3Store() };
  if (dataDir === undefined) return { stores, close: () => undefined };

  const { PersistenceManager } = await part<{ PersistenceManager: new (folder: string) => Persistence }>(
    'persistence.js',
  );
  const persistence = new PersistenceManager(dataDir);
  persistence.db.exec('PRAGMA synchronous = NORMAL');
  persistence.db.exec('UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL');
  const makeVisible = persistence.db.prepare(
    'UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?',
  );
  persistence.updateMessageReady = (messageId) => void makeVisible.run(messageId);
  // Loaded before it is attached: an attached store writes back what it loads and cascades the old rows away.
  persistence.load(stores.sqsStore, stores.snsStore, stores.s3Store);
  Object.assign(stores.sqsStore, { persistence });
  Object.assign(stores.snsStore, { persistence });
  Object.assign(stores.s3Store, { persistence });
  for (const queue of stores.sqsStore.allQueues()) Object.assign(queue, { persistence });
  return { stores, close: () => persistence.close() };
}

async function part<Module>(path: string): Promise<Module> {
  const entry = import.meta.resolve('fauxqs');
  const module: unknown = await import(new URL(path, entry).href);
  return module as Module;
}
