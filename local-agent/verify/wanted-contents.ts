import type { ContentRef } from '#protocol/content.ts';
import type { LedgerBody } from '#protocol/ledger-body.ts';
import type { LedgerEntry } from '#protocol/ledger-entry.ts';
import type { Ring } from '#protocol/seal.ts';

/** Contents that an entry of the ledger names, and where. */
export interface WantedContent {
  readonly content: ContentRef;
  readonly ring: Ring;
  readonly n: number;
  /** Whose bytes they are: a path of the vault, or the name of a note. */
  readonly of: string;
}

/** All contents that an entry names, with whose they are. */
export function wantedOf({ n, ring }: LedgerEntry, body: LedgerBody): WantedContent[] {
  const wanted = (of: string, content: ContentRef | undefined): WantedContent[] =>
    content ? [{ content, ring, n, of }] : [];
  switch (body.kind) {
    case 'files':
      return body.changes.flatMap((change) =>
        change.op === 'delete'
          ? []
          : [change.content, change.merged].flatMap((content) =>
              wanted(change.op === 'move' ? change.to : change.path, content),
            ),
      );
    case 'task':
      return body.changes.flatMap(({ note }) => wanted(note?.name ?? '', note?.content));
    case 'approval':
    case 'result':
      return wanted(body.note?.name ?? '', body.note?.content);
    case 'conflict':
      return wanted(body.copy, body.content);
    case 'checkpoint':
      return [
        { content: body.shared, ring: 'shared', n, of: `checkpoint ${body.upTo}` },
        { content: body.private, ring: 'private', n, of: `checkpoint ${body.upTo}` },
      ];
    default:
      return [];
  }
}

/** Where the stored bytes are: equal places are read once. `undefined` for what travels inside its entry. */
export function placeOf(content: ContentRef): string | undefined {
  if (!('blob' in content)) return undefined;
  return content.pack ? `${content.pack.id}:${content.pack.offset}` : content.blob;
}
