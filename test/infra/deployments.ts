import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '#infra/config.ts';
import { functionNames } from '#infra/paths.ts';
import { synthesize } from '#infra/synth.ts';
import { type Json, resolveTemplates, type Template } from './resolve.ts';

/** A resource of a synthesized deployment, with references between stacks replaced by what they would be in AWS. */
export interface Resource {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Json;
  readonly deletionPolicy: string | undefined;
  readonly updateReplacePolicy: string | undefined;
}

/** All resources and outputs of one stage and profile. */
export interface Deployment {
  readonly name: string;
  readonly stage: Settings['stage'];
  readonly profile: Settings['profile'];
  readonly resources: Resource[];
  /** Outputs of the pipeline stack, by name, without what it exports to other stacks. */
  readonly outputs: Readonly<Record<string, Json>>;
  /** The same of the mail stack. */
  readonly mailOutputs: Record<string, Json>;
  /** Outputs of all stacks, by name. */
  readonly allOutputs: Readonly<Record<string, Json>>;
}

/** Folder with a bundle a function, small enough to synthesize without building any; the caller removes it. */
export async function placeholderBundles(folder: string): Promise<string> {
  for (const name of functionNames) {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'index.mjs'), `export const handler = async () => '${name}';\n`);
  }
  return folder;
}

/** Synthesizes both stages in both profiles from the repository's context. */
export function allDeployments(): Promise<Deployment[]> {
  return deploymentsOf(
    (['dev', 'prod'] as const).flatMap((stage) =>
      (['lean', 'full'] as const).map((profile) => ({ stage, profile, alarmEmail: 'owner@example.com' })),
    ),
  );
}

/** Synthesizes with each of the contexts on top of the repository's. */
export async function deploymentsOf(
  contexts: readonly (Pick<Settings, 'stage' | 'profile'> & Readonly<Record<string, unknown>>)[],
): Promise<Deployment[]> {
  const folder = await mkdtemp(join(tmpdir(), 'infra-'));
  try {
    const bundlesDir = await placeholderBundles(join(folder, 'bundles'));
    const deployments: Deployment[] = [];
    for (const [index, context] of contexts.entries()) {
      const outDir = join(folder, String(index));
      await synthesize({ bundlesDir, outDir, context });
      deployments.push(await readDeployment(outDir, context.stage, context.profile));
    }
    return deployments;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readDeployment(
  outDir: string,
  stage: Settings['stage'],
  profile: Settings['profile'],
): Promise<Deployment> {
  const templates: Record<string, Template> = {};
  for (const file of (await readdir(outDir)).filter((name) => name.endsWith('.template.json')).sort()) {
    const stack = file.replace('.template.json', '');
    templates[stack] = JSON.parse(await readFile(join(outDir, file), 'utf8')) as Template;
  }
  const resolved = resolveTemplates(templates);
  const resources = Object.entries(resolved).flatMap(([stack, template]) =>
    Object.entries(template.Resources).map(([id, resource]) => ({
      stack,
      id,
      type: resource.Type,
      properties: resource.Properties ?? {},
      deletionPolicy: resource.DeletionPolicy,
      updateReplacePolicy: resource.UpdateReplacePolicy,
    })),
  );
  const pipeline = resolved[`ai-employee-${stage}-pipeline`];
  const mail = resolved[`ai-employee-${stage}-mail`];
  return {
    name: `${stage} ${profile}`,
    stage,
    profile,
    resources,
    outputs: outputsOf(pipeline === undefined ? [] : [pipeline]),
    mailOutputs: outputsOf(mail === undefined ? [] : [mail]),
    allOutputs: outputsOf(Object.values(resolved)),
  };
}

function outputsOf(templates: readonly Template[]): Record<string, Json> {
  return Object.fromEntries(
    templates.flatMap(({ Outputs = {} }) =>
      Object.entries(Outputs)
        .filter(([, { Export }]) => Export === undefined)
        .map(([name, { Value }]) => [name, Value]),
    ),
  );
}
