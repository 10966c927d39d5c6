import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { ensureAssembly } from '#infra/synth.ts';

const RoleProperties = z.looseObject({
  Policies: z.array(
    z.looseObject({
      PolicyDocument: z.looseObject({
        Statement: z.array(z.looseObject({ Action: z.union([z.string(), z.array(z.string())]) })),
      }),
    }),
  ),
});
const Template = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown() })),
});

/** Every stack of the repository, with one action taken out of a role's own policy; `cleanUp` takes what removes them. */
export async function assemblyWithout(
  of: string,
  action: string,
  cleanUp: (() => Promise<void>)[],
): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'assembly-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  const { assemblyDir } = await ensureAssembly();
  await cp(assemblyDir, folder, { recursive: true });
  let taken = 0;
  for (const name of (await readdir(folder)).filter((each) => each.endsWith('.template.json'))) {
    const file = path.join(folder, name);
    const template = Template.parse(JSON.parse(await readFile(file, 'utf8')));
    for (const [id, resource] of Object.entries(template.Resources)) {
      if (resource.Type !== 'AWS::IAM::Role' || !id.startsWith(`${of}Role`)) continue;
      const properties = RoleProperties.parse(resource.Properties);
      resource.Properties = properties;
      for (const statement of properties.Policies.flatMap((policy) => policy.PolicyDocument.Statement)) {
        const actions = [statement.Action].flat();
        if (!actions.includes(action)) continue;
        taken += 1;
        statement.Action = actions.length === 1 ? 'none:None' : actions.filter((each) => each !== action);
      }
    }
    await writeFile(file, JSON.stringify(template));
  }
  if (taken === 0) throw new Error(`${of} has no ${action}`);
  return folder;
}
