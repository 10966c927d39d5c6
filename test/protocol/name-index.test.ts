import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NameIndex } from '#protocol/name-index.ts';
import { foldName } from '#protocol/vault-path.ts';

describe('names that are taken', () => {
  it.each([
    ['Notes/a.md', 'same', 'Notes/a.md'],
    ['notes/A.md', 'twin', 'Notes/a.md'],
    ['Notes', 'folder', 'Notes'],
    ['notes', 'folder', 'notes'],
    ['Notes/a.md/b', 'file', 'Notes/a.md'],
    ['NOTES/A.MD/b/c', 'file', 'Notes/a.md'],
    ['Stra\u00dfe', 'twin', 'STRASSE'],
  ])('leave none for %s', (path, how, other) => {
    expect(new NameIndex(['Notes/a.md', 'STRASSE']).clash(path)).toEqual({ how, with: other });
  });

  it('leave a folder that is spelled otherwise', () => {
    expect(new NameIndex(['Notes/a.md']).clash('notes/b.md')).toBeUndefined();
  });

  it('are the same however the index came to be', () => {
    const path = fc
      .array(fc.constantFrom('a', 'A', 'b', 'c'), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(
        fc.array(fc.record({ add: fc.boolean(), path }), { maxLength: 30 }),
        path,
        (steps, asked) => {
          const index = new NameIndex([]);
          const taken = new Map<string, string>();
          for (const { add, path: each } of steps) {
            if (!add) {
              if (taken.get(foldName(each)) === each) {
                taken.delete(foldName(each));
                index.delete(each);
              }
            } else if (index.clash(each) === undefined) {
              taken.set(foldName(each), each);
              index.add(each);
            }
          }
          expect(index.size).toBe(taken.size);
          expect(index.clash(asked)).toEqual(new NameIndex(taken.values()).clash(asked));
          expect(new NameIndex(index).clash(asked)).toEqual(index.clash(asked));
          const folded = foldName(asked);
          const free = [...taken.keys()].every(
            (name) => name !== folded && !name.startsWith(`${folded}/`) && !folded.startsWith(`${name}/`),
          );
          expect(index.clash(asked) === undefined).toBe(free);
        },
      ),
    );
  });
});
