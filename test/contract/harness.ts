/** An adapter under test and what the suite needs beside it. */
export interface Harness<Adapter, Extra = unknown> {
  readonly adapter: Adapter;
  readonly extra: Extra;
  close(): Promise<void>;
}

/** Makes the adapter for one suite. */
export type MakeAdapter<Adapter, Extra = unknown> = () => Promise<Harness<Adapter, Extra>>;

/** A harness of something in memory. */
export async function inMemory<Adapter, Extra>(
  adapter: Adapter,
  extra: Extra,
): Promise<Harness<Adapter, Extra>> {
  return { adapter, extra, close: () => Promise.resolve() };
}
