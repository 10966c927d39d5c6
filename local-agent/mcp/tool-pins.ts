import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { canonicalJson, sha256Hex } from '#protocol/canonical.ts';
import { EmployeeError } from '#protocol/errors.ts';
import { Sha256 } from '#protocol/ids.ts';
import { replaceFile } from '../durable-file.ts';

/** What a server says of a tool, as far as it is pinned. */
export interface ToolSchema {
  readonly name: string;
  readonly inputSchema: unknown;
  readonly description?: string | undefined;
}

/** The schema that each tool had when it was first used. */
export interface ToolPins {
  get(server: string, tool: string): Promise<string | undefined>;
  set(server: string, tool: string, hash: string): Promise<void>;
}

/** The file with the pins is there and cannot be read. Nothing is pinned anew then. */
export class ToolPinsError extends EmployeeError {
  static override readonly code = 'TOOL_PINS';
}

/**
 * The hash a tool is pinned by: SHA-256 over the canonical JSON of name, input schema and description. The
 * description counts because it is what a person goes by when they approve.
 */
export function toolSchemaHash({ name, inputSchema, description }: ToolSchema): string {
  return sha256Hex(canonicalJson({ name, inputSchema, description }));
}

const PinFile = z.record(z.string(), z.record(z.string(), Sha256));

/** Pins in a JSON file, `{server: {tool: hash}}`, made at the first one. For one process at a time. */
export function createFilePins(file: string): ToolPins {
  let last: Promise<unknown> = Promise.resolve();
  return {
    get: async (server, tool) => ownEntry(ownEntry(await readPins(file), server) ?? {}, tool),
    set: (server, tool, hash) => {
      // One after the other, or two would each write the file without the other's pin.
      const written = last.then(async () => {
        const pins = await readPins(file);
        const next = { ...pins, [server]: { ...ownEntry(pins, server), [tool]: hash } };
        await replaceFile(file, `${JSON.stringify(next, null, 2)}\n`, 0o600);
      });
      last = written.catch(() => undefined);
      return written;
    },
  };
}

async function readPins(file: string): Promise<z.infer<typeof PinFile>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ToolPinsError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    return PinFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new ToolPinsError(`${file} is damaged: restore it, or delete it to approve each tool again`, {
      cause,
    });
  }
}

/** A tool may be called `constructor`. */
function ownEntry<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
