import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFilePins, toolSchemaHash, ToolPinsError } from '#local-agent/mcp/tool-pins.ts';
import { tempFolder } from './fixtures/tool-host-fixture.ts';

const hash = 'a'.repeat(64);

describe('pins in a file', () => {
  it('are there for the next process, however many were set at once', async () => {
    const file = path.join(await tempFolder(), 'pins.json');
    const pins = createFilePins(file);
    const names = ['one', 'two', 'constructor', '__proto__x'];
    await Promise.all(names.map((tool) => pins.set('server', tool, hash)));
    await pins.set('other', 'one', 'b'.repeat(64));
    const again = createFilePins(file);
    expect(await Promise.all(names.map((tool) => again.get('server', tool)))).toEqual(names.map(() => hash));
    expect(await again.get('other', 'one')).toBe('b'.repeat(64));
  });

  it('do not know a tool by a name that every object has', async () => {
    const pins = createFilePins(path.join(await tempFolder(), 'pins.json'));
    await pins.set('server', 'one', hash);
    expect(await pins.get('server', 'toString')).toBeUndefined();
    expect(await pins.get('constructor', 'name')).toBeUndefined();
  });

  it('are never written over when they cannot be read', async () => {
    const file = path.join(await tempFolder(), 'pins.json');
    await writeFile(file, '{"server":{"one":"short"}}');
    const pins = createFilePins(file);
    await expect(pins.get('server', 'two')).rejects.toThrow(ToolPinsError);
    await expect(pins.set('server', 'two', hash)).rejects.toThrow(ToolPinsError);
    expect(await readFile(file, 'utf8')).toBe('{"server":{"one":"short"}}');
  });
});

it('the hash of a tool depends on its name, its input and its description, and on nothing else', () => {
  const tool = {
    name: 'pay',
    description: 'Pays.',
    inputSchema: { type: 'object', properties: { a: {}, b: {} } },
  };
  const same = { ...tool, inputSchema: { properties: { b: {}, a: {} }, type: 'object' }, title: 'Pay' };
  expect(toolSchemaHash(same)).toBe(toolSchemaHash(tool));
  const others = [
    { ...tool, name: 'pay2' },
    { ...tool, description: 'Pays!' },
    { ...tool, inputSchema: { type: 'object', properties: { a: {}, c: {} } } },
  ];
  expect(new Set([tool, ...others].map(toolSchemaHash)).size).toBe(4);
});
