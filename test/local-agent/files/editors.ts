import { closeSync, existsSync, openSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** How programs save a file, in steps between which others may act. The last step leaves `text` in the file. */
export interface SaveHabit {
  readonly name: string;
  steps(file: string, text: string): (() => void)[];
}

/** What is known of the programs that people write notes with. */
export const SAVE_HABITS: readonly SaveHabit[] = [
  {
    name: 'gedit, VS Code: a temp file and a rename over the note',
    steps(file: string, text: string): (() => void)[] {
      const temp = path.join(path.dirname(file), '.goutputstream-1');
      return [() => writeFileSync(temp, text), () => renameSync(temp, file)];
    },
  },
  {
    name: 'Obsidian, nano: the note is cut to nothing and written in place',
    steps(file: string, text: string): (() => void)[] {
      let descriptor = -1;
      return [
        () => (descriptor = openSync(file, 'w')),
        () => {
          writeFileSync(descriptor, text);
          closeSync(descriptor);
        },
      ];
    },
  },
  {
    name: 'vim: the note becomes a backup, then it is written anew',
    steps(file: string, text: string): (() => void)[] {
      return [
        () => {
          if (existsSync(file)) renameSync(file, `${file}~`);
        },
        () => writeFileSync(file, text),
        () => rmSync(`${file}~`, { force: true }),
      ];
    },
  },
  {
    name: 'others: the note is removed and made again',
    steps(file: string, text: string): (() => void)[] {
      return [
        () => {
          if (existsSync(file)) unlinkSync(file);
        },
        () => writeFileSync(file, text),
      ];
    },
  },
];
