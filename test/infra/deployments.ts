import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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
  /** Outputs of the pipeline stack, by name. */
  readonly outputs: Readonly<Record<string, Json>>;
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
export async function allDeployments(): Promise<Deployment[]> {
  const folder = await mkdtemp(join(tmpdir(), 'infra-'));
  try {
    const bundlesDir = await placeholderBundles(join(folder, 'bundles'));
    const deployments: Deployment[] = [];
    for (const stage of ['dev', 'prod'] as const) {
      for (const profile of ['lean', 'full'] as const) {
        const outDir = join(folder, `${stage}-${profile}`);
        await synthesize({
          bundlesDir,
          outDir,
          context: { stage, profile, alarmEmail: 'owner@example.com' },
        });
        deployments.push(await readDeployment(outDir, stage, profile));
      }
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
  for (const part of ['storage', 'mail', 'pipeline']) {
    const stack = `ai-employee-${stage}-${part}`;
    templates[stack] = JSON.parse(await readFile(join(outDir, `${stack}.template.json`), 'utf8')) as Template;
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
  const outputs = resolved[`ai-employee-${stage}-pipeline`]?.Outputs ?? {};
  return {
    name: `${stage} ${profile}`,
    stage,
    profile,
    resources,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { Value }]) => [name, Value])),
  };
}
