import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { repositoryDir } from './paths.ts';

// `import { z }` binds zod's whole namespace object, with the error messages of fifty languages, and esbuild cannot drop
// what is not used of an object; `import * as z` names the same things and leaves 380 KB out.
const leanZod: Plugin = {
  name: 'lean-zod',
  setup(esbuild) {
    esbuild.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      loader: 'ts',
      contents: (await readFile(path, 'utf8')).replace(
        /^import \{ z \} from 'zod';$/m,
        "import * as z from 'zod';",
      ),
    }));
  },
};

// The ES modules of `yaml`, as they are made for browsers, are the same code as its CommonJS ones; of them esbuild keeps what
// is used, which is nothing in a function that only writes front matter.
const leanYaml: Plugin = {
  name: 'lean-yaml',
  setup(esbuild) {
    const path = join(repositoryDir, 'node_modules/yaml/browser/dist/index.js');
    esbuild.onResolve({ filter: /^yaml$/ }, () => ({ path, sideEffects: false }));
  },
};

// Every zod schema can describe itself as JSON Schema. No function asks one to, and the code for it is a sixth of zod.
const noJsonSchema: Plugin = {
  name: 'no-json-schema',
  setup(esbuild) {
    esbuild.onLoad(
      { filter: /zod\/v4\/core\/(to-json-schema|json-schema-processors)\.js$/ },
      async ({ path }) => {
        const names = [...(await readFile(path, 'utf8')).matchAll(/^export (?:const|function) (\w+)/gm)].map(
          ([, name = '']) => name,
        );
        const refusal = "() => { throw new Error('JSON Schema is left out of this bundle'); }";
        return {
          loader: 'js',
          contents: [
            ...names.map(
              (name) => `export const ${name} = ${/^create/.test(name) ? `() => ${refusal}` : refusal};`,
            ),
            'export const process = undefined;',
          ].join('\n'),
        };
      },
    );
  },
};

// A function's credentials are in its environment, always. The chain behind that asks the files and services of a
// developer's machine, and with its own clients is an eighth of a bundle.
const environmentCredentials: Plugin = {
  name: 'environment-credentials',
  setup(esbuild) {
    const name = '@aws-sdk/credential-provider-node';
    esbuild.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: name, namespace: 'credentials' }));
    esbuild.onLoad({ filter: /./, namespace: 'credentials' }, () => ({
      contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
      resolveDir: repositoryDir,
    }));
  },
};

/** What keeps out of the bundles the parts of packages that no function uses. */
export const leanPlugins: readonly Plugin[] = [leanZod, leanYaml, noJsonSchema, environmentCredentials];
