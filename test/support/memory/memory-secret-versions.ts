import type { SecretVersions } from '#protocol/ports.ts';

/** The versions of a secret that stands in the test itself. */
export interface MemorySecretVersions extends SecretVersions {
  /** Values by version, for a test to look at. */
  readonly values: ReadonlyMap<string, string>;
  /** The version that a stage stands at. */
  at(stage: string): string | undefined;
  /** What Secrets Manager does before it calls for the first step: a version without a value. */
  prepare(versionId: string): void;
  /** What the owner does by hand. */
  write(versionId: string, value: string): void;
  enableRotation(on: boolean): void;
}

/** Makes a secret with one version, `first`, that rotates. */
export function createMemorySecretVersions(value: string): MemorySecretVersions {
  const values = new Map([['first', value]]);
  const at = new Map([['AWSCURRENT', 'first']]);
  let rotationEnabled = true;

  function place(stage: string, versionId: string): void {
    const before = at.get(stage);
    if (before === versionId) return;
    at.set(stage, versionId);
    if (stage === 'AWSCURRENT' && before !== undefined) at.set('AWSPREVIOUS', before);
  }

  return {
    values,
    at: (stage) => at.get(stage),
    prepare: (versionId) => place('AWSPENDING', versionId),
    write: (versionId, text) => {
      values.set(versionId, text);
      place('AWSCURRENT', versionId);
    },
    enableRotation: (on) => {
      rotationEnabled = on;
    },
    describe: async () => {
      const stages = new Map<string, string[]>();
      for (const [stage, versionId] of at) stages.set(versionId, [...(stages.get(versionId) ?? []), stage]);
      return { rotationEnabled, stages };
    },
    read: async (versionId) => values.get(versionId),
    put: async (versionId, text, stage) => {
      const known = values.get(versionId);
      if (known !== undefined) return known === text ? 'put' : 'other';
      values.set(versionId, text);
      place(stage, versionId);
      return 'put';
    },
    moveStage: async (stage, from, to) => {
      if (at.get(stage) !== from) return 'elsewhere';
      if (to === undefined) at.delete(stage);
      else place(stage, to);
      return 'moved';
    },
  };
}
