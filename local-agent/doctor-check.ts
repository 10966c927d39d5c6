/** The outcome of one check. `fix` says what to do; it is there whenever `ok` is false. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
}
