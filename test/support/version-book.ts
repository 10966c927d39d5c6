interface Version {
  readonly machine: string;
  isStanding: boolean;
  isSeen: boolean;
  /** How often it was moved. */
  moves: number;
}

/**
 * Which versions of bytes must not be lost. A person's version is owed unless that person put another one in its
 * place, or threw it away, before any sync could have seen it: an overwritten version is gone for everybody. It is owed
 * for good once it stood at one place on disk from the beginning to the end of a sync that completed.
 */
export class VersionBook {
  readonly #versions = new Map<string, Version>();

  /** The person at `machine` saved these bytes, named by their hash. */
  wrote(machine: string, sha256: string): void {
    this.#versions.set(sha256, { machine, isStanding: true, isSeen: false, moves: 0 });
  }

  /**
   * The person at `machine` moved what had this hash, or a copy of it: a sync that is under way may have looked at
   * neither place at the right time.
   */
  moved(machine: string, sha256: string): void {
    const version = this.#versions.get(sha256);
    if (version?.machine === machine) version.moves += 1;
  }

  /** The person at `machine` replaced or threw away what had this hash, by hand. */
  gaveUp(machine: string, sha256: string | undefined): void {
    const version = sha256 === undefined ? undefined : this.#versions.get(sha256);
    if (version?.machine === machine) version.isStanding = false;
  }

  /**
   * A sync of `machine` begins.
   *
   * @returns what to call when it has completed; with the hashes of what it left on the machine and said so.
   */
  syncBegins(machine: string): (withheld?: ReadonlySet<string>) => void {
    const before = [...this.#versions]
      .filter(([, version]) => version.machine === machine && version.isStanding)
      .map(([sha256, version]) => ({ sha256, version, moves: version.moves }));
    return (withheld) => {
      for (const { sha256, version, moves } of before) {
        const isSeen = version.isStanding && version.moves === moves && withheld?.has(sha256) !== true;
        if (isSeen) version.isSeen = true;
      }
    };
  }

  /** How many versions were ever written. */
  get count(): number {
    return this.#versions.size;
  }

  /** The hashes of all versions that have to be somewhere. */
  owed(): string[] {
    return [...this.#versions]
      .filter(([, { isStanding, isSeen }]) => isStanding || isSeen)
      .map(([sha256]) => sha256);
  }
}
