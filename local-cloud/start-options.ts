import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryDir } from '#infra/paths.ts';
import type { Ports } from './local-cloud.ts';

/** The command line or a variable is wrong; the message says which, and what is allowed. */
export class WrongUsage extends Error {
  static readonly code = 'WRONG_USAGE';

  constructor(message: string) {
    super(message);
    this.name = 'WrongUsage';
  }
}

/** How `npm start` was asked to start. */
export interface StartOptions {
  help: boolean;
  fresh: boolean;
  cloudOnly: boolean;
  /** Absolute. */
  stateDir: string;
  /** A synthesized app to run instead of this repository's; absolute. */
  assemblyDir?: string;
  ports: Required<Ports> & { desk: number };
}

/** Ports unless a variable says otherwise. SNS and SQS share S3's. */
export const DEFAULT_PORTS: StartOptions['ports'] = {
  smtp: 2525,
  desk: 4500,
  dynamodb: 4501,
  s3: 4502,
  ses: 4503,
  secretsmanager: 4504,
  sts: 4505,
  cloudwatch: 4506,
};

export const HELP = `npm start [-- OPTIONS]: the whole system on this machine, until Ctrl-C

  --fresh        forget everything first: data, vault, sent mail, keys of the local cloud
  --cloud-only   the cloud without the owner's agent
  --dir DIR      where everything is kept (default: .local-cloud)
  --assembly DIR run this synthesized app instead of building the one of this repository
  --help         this

Ports, 0 for any free one:
${Object.entries(DEFAULT_PORTS)
  .map(([service, port]) => `  ${portVariable(service).padEnd(36)} ${port}`)
  .join('\n')}
`;

/** Reads arguments and environment. @throws WrongUsage */
export function readStartOptions(args: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const values = parsed(args);
  const ports = { ...DEFAULT_PORTS };
  for (const service of Object.keys(ports) as (keyof typeof ports)[]) {
    const given = env[portVariable(service)];
    if (given === undefined || given === '') continue;
    const port = Number(given);
    if (!/^\d+$/.test(given) || port > 65_535) {
      throw new WrongUsage(`${portVariable(service)} is "${given}"; it has to be a port from 0 to 65535`);
    }
    ports[service] = port;
  }
  return {
    help: values.help ?? false,
    fresh: values.fresh ?? false,
    cloudOnly: values['cloud-only'] ?? false,
    stateDir: resolve(repositoryDir, values.dir ?? '.local-cloud'),
    ...(values.assembly === undefined ? {} : { assemblyDir: resolve(values.assembly) }),
    ports,
  };
}

/** The variable that sets a service's port. */
export function portVariable(service: string): string {
  return `LOCAL_CLOUD_PORT_${service.toUpperCase()}`;
}

function parsed(args: readonly string[]): {
  help?: boolean;
  fresh?: boolean;
  'cloud-only'?: boolean;
  dir?: string;
  assembly?: string;
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        fresh: { type: 'boolean' },
        'cloud-only': { type: 'boolean' },
        dir: { type: 'string' },
        assembly: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
}
