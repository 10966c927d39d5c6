import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';

/** The assembly cannot be run here; the message names the stack, the resource and the reason. */
export class TemplateUnsupported extends Error {
  static readonly code = 'TEMPLATE_UNSUPPORTED';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TemplateUnsupported';
  }
}

const Resource = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  Metadata: z.record(z.string(), z.unknown()).default({}),
  Condition: z.string().optional(),
});

const Template = z.object({
  Resources: z.record(z.string(), Resource).default({}),
  Outputs: z
    .record(
      z.string(),
      z.object({
        Value: z.unknown(),
        Export: z.object({ Name: z.unknown() }).optional(),
        Condition: z.string().optional(),
      }),
    )
    .default({}),
  Parameters: z.record(z.string(), z.object({ Default: z.unknown() })).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
});

/** One resource as the template has it, not resolved. */
export type TemplateResource = z.infer<typeof Resource>;

/** One stack of the assembly. */
export interface Stack {
  name: string;
  template: z.infer<typeof Template>;
  /** Folder (or file) of each asset by the object key under which a deployment would upload it. */
  assetPaths: ReadonlyMap<string, string>;
}

const Manifest = z.object({
  artifacts: z
    .record(
      z.string(),
      z.object({
        type: z.string(),
        displayName: z.string().optional(),
        properties: z
          .object({
            templateFile: z.string().optional(),
            stackName: z.string().optional(),
            directoryName: z.string().optional(),
            file: z.string().optional(),
          })
          .default({}),
      }),
    )
    .default({}),
});

const AssetManifest = z.object({
  files: z
    .record(
      z.string(),
      z.object({
        source: z.object({ path: z.string().optional() }),
        destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
      }),
    )
    .default({}),
});

/**
 * Reads all stacks of a synthesized cloud assembly (`cdk.out`), those of nested assemblies included.
 * @param assemblyDir folder with `manifest.json`
 * @throws TemplateUnsupported if there is none, or it is not readable as one
 */
export function readAssembly(assemblyDir: string): Stack[] {
  const manifest = readJson(join(assemblyDir, 'manifest.json'), Manifest);
  const artifacts = Object.entries(manifest.artifacts);
  const assetPaths = new Map<string, string>();
  for (const [, { type, properties }] of artifacts) {
    if (type !== 'cdk:asset-manifest' || properties.file === undefined) continue;
    for (const asset of Object.values(readJson(join(assemblyDir, properties.file), AssetManifest).files)) {
      const path = asset.source.path;
      if (path === undefined) continue;
      for (const { objectKey } of Object.values(asset.destinations)) {
        assetPaths.set(objectKey, isAbsolute(path) ? path : resolve(assemblyDir, path));
      }
    }
  }
  const stacks: Stack[] = [];
  for (const [id, { type, displayName, properties }] of artifacts) {
    if (type === 'cdk:cloud-assembly' && properties.directoryName !== undefined) {
      stacks.push(...readAssembly(join(assemblyDir, properties.directoryName)));
    }
    if (type !== 'aws:cloudformation:stack' || properties.templateFile === undefined) continue;
    const template = readJson(join(assemblyDir, properties.templateFile), Template);
    stacks.push({ name: properties.stackName ?? displayName ?? id, template, assetPaths });
  }
  if (stacks.length === 0) throw new TemplateUnsupported(`${assemblyDir} has no stack.`);
  return stacks;
}

function readJson<Schema extends z.ZodType>(file: string, schema: Schema): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const problem =
      cause instanceof SyntaxError ? 'is not JSON' : 'cannot be read; has the app been synthesized?';
    throw new TemplateUnsupported(`${file} ${problem}`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TemplateUnsupported(`${file} is not what CDK writes: ${z.prettifyError(parsed.error)}`);
}
