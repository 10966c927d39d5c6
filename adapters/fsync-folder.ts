import { open } from 'node:fs/promises';

/** Makes the names in a folder durable, where the system lets a folder be opened (Windows does not). */
export async function fsyncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
