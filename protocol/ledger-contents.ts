import type { ContentRef } from './content.ts';
import type { LedgerBody } from './ledger-body.ts';

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
  }
}
