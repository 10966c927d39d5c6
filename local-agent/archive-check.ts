import type { ArchiveReader } from '#protocol/ports.ts';
import { archiveFolder } from '#protocol/archive.ts';
import type { Check } from './doctor-check.ts';
import { errorText } from './error-text.ts';

const name = 'archive';

/** Whether the archive can be listed and read, which everything that is approved or carried out needs. */
export async function archiveCheck(
  archive: ArchiveReader | undefined,
  { vaultId, bucket = '' }: { readonly vaultId: string; readonly bucket?: string | undefined },
): Promise<Check> {
  if (!archive) {
    return {
      ...{ name, ok: true, warning: true, detail: 'the config names none' },
      fix: 'run "employee init --from-stack NAME" again: only the archive remembers what was sent when all else comes back from a backup',
    };
  }
  try {
    for await (const first of archive.names(archiveFolder(vaultId))) {
      await archive.read(first);
      return { name, ok: true, detail: bucket };
    }
    return { name, ok: true, detail: `${bucket}: nothing yet` };
  } catch (error) {
    const fix = `check that ${bucket} exists and this machine may list and read it (deploy the access stack again); nothing is approved or carried out until then`;
    return { name, ok: false, detail: errorText(error).message, fix };
  }
}
