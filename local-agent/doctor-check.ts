/** The outcome of one check. `fix` says what to do; it is there whenever `ok` is false, or it is only a warning. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** All works, and could be safer. */
  readonly warning?: true;
  readonly detail: string;
  readonly fix?: string;
}
