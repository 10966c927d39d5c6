import type { ContentRef, HeldContent } from './content.ts';
import type { FileChange, LedgerBody, NoteRef } from './ledger-body.ts';
import type { VaultState } from './vault-state.ts';

/** Every content that a body names, in its order; the same one may come more than once. */
export function contentsOf(body: LedgerBody): ContentRef[] {
  switch (body.kind) {
    case 'task':
      return body.changes.flatMap(({ note }) => note?.content ?? []);
    case 'files':
      return body.changes.flatMap((change) =>
        change.op === 'delete' ? [] : [change.content ?? [], change.merged ?? []].flat(),
      );
    case 'approval':
      return [body.note.content];
    case 'result':
      return body.note ? [body.note.content] : [];
    case 'conflict':
      return [body.content];
    case 'keys':
    case 'claim':
    case 'intent':
    case 'delivery':
    case 'override':
      return [];
    case 'checkpoint':
      return [body.shared, body.private];
    case 'reseal':
      return body.moved.map(({ to }) => to);
  }
}

/** The same content where it is now; itself, if it was not stored again since. */
export function relocated<C extends HeldContent>(content: C, resealed: VaultState['resealed']): C {
  const place = 'blob' in content ? resealed.get(content.blob) : undefined;
  if (!place) return content;
  const { blob, pack } = place;
  const { sha256, sizeBytes } = content;
  return { sha256, sizeBytes, blob, ...(pack ? { pack } : {}) } as HeldContent as C;
}

/** What a body says of contents, as of where they are now: its writer may not have known yet. */
export function relocatedBody(body: LedgerBody, resealed: VaultState['resealed']): LedgerBody {
  if (resealed.size === 0) return body;
  const note = <N extends NoteRef | undefined>(ref: N): N =>
    ref && { ...ref, content: relocated(ref.content, resealed) };
  switch (body.kind) {
    case 'task':
      return {
        ...body,
        changes: body.changes.map((change) =>
          change.note ? { ...change, note: note(change.note) } : change,
        ),
      };
    case 'files':
      return { ...body, changes: body.changes.map((change) => relocatedChange(change, resealed)) };
    case 'approval':
      return { ...body, note: note(body.note) };
    case 'result':
      return body.note ? { ...body, note: note(body.note) } : body;
    case 'conflict':
      return { ...body, content: relocated(body.content, resealed) };
    default:
      return body;
  }
}

function relocatedChange(change: FileChange, resealed: VaultState['resealed']): FileChange {
  if (change.op === 'delete' || !change.content) return change;
  return { ...change, content: relocated(change.content, resealed) };
}
